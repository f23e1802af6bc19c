"""TLS on the wire: answered under a certificate, refused without one, and files that are none."""

import json
import ssl
import urllib.request

import pytest
from tests.adapters.web_server import make_certificate

from setpoint.client import Client, Retries, UnreachableError
from setpoint.errors import UsageError
from setpoint.wiring.gateway import GatewayPlan, _tls


@pytest.fixture
def certificate(tmp_path):
    return make_certificate(tmp_path)


def test_gateway_answers_over_tls_and_not_in_the_clear(
    project, start_gateway, row, certificate, wait_until
):
    project.add(1)
    project.deploy(1, {1: 1.0})
    cert, key = certificate
    gateway = start_gateway(certificate=cert, private_key=key)
    assert gateway.url.startswith("https://127.0.0.1:")
    trusting = ssl.create_default_context(cafile=cert)

    def get(url, context=None, data=None):
        with urllib.request.urlopen(url, context=context, timeout=5, data=data) as answer:  # noqa: S310 (our own gateway)
            return json.loads(answer.read())

    def is_ready():
        try:
            return get(gateway.url + "/readyz", trusting)["ready"]
        except OSError:
            return False

    wait_until(is_ready)
    answer = get(gateway.url + "/predict", trusting, json.dumps(row).encode())
    assert answer["status"] == "success"
    with pytest.raises(OSError, match="certificate verify failed"):
        get(gateway.url + "/healthz", ssl.create_default_context())
    with pytest.raises(OSError, match=r".*"):
        get(gateway.url.replace("https", "http") + "/healthz")
    assert gateway.terminate() == (0, "")


def test_client_checks_the_certificate(project, start_gateway, row, certificate, wait_until):
    project.add(1)
    project.deploy(1, {1: 1.0})
    cert, key = certificate
    gateway = start_gateway(certificate=cert, private_key=key)
    with Client(gateway.url, tls=ssl.create_default_context(cafile=cert)) as client:
        wait_until(client.ready)
        assert client.predict(row).label == "Yes"
    doubting = Client(gateway.url, retries=Retries(most=0))
    with doubting, pytest.raises(UnreachableError, match="certificate"):
        doubting.ready()
    assert gateway.terminate() == (0, "")


def test_files_that_are_no_certificate_are_refused(tmp_path, certificate):
    cert, key = certificate
    (tmp_path / "other.pem").write_text("nonsense")
    for plan in (
        GatewayPlan(certificate=tmp_path / "none.pem"),
        GatewayPlan(certificate=tmp_path / "other.pem", private_key=key),
        GatewayPlan(certificate=cert),
        GatewayPlan(private_key=key),
    ):
        with pytest.raises(UsageError, match=r"TLS certificate|--tls-key needs"):
            _tls(plan)
    assert _tls(GatewayPlan()) is None
