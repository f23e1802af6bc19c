"""One bundle alone: read-only, from an empty folder, with keys, workers and TLS; nothing is written."""

import os
import shutil
import ssl
import tempfile
from pathlib import Path

import pytest
from tests.adapters.web_server import make_certificate
from tests.gateway.command import running

from setpoint.adapters.key_file import KeyFile
from setpoint.facts.api_key import ApiKey


@pytest.fixture
def place():
    """A folder for a read-only bundle, and an empty one to stand in."""
    folder = Path(tempfile.mkdtemp(prefix="setpoint-alone-"))
    folder.chmod(0o755)
    (folder / "empty").mkdir()
    yield folder
    for path in (folder, *folder.rglob("*")):
        if path.is_dir():
            path.chmod(0o755)
    shutil.rmtree(folder)


@pytest.fixture
def bundle(place, models, bundle_writer):
    found = place / "bundle"
    bundle_writer(found, models[1])
    for path in found.rglob("*"):
        path.chmod(0o444)
    found.chmod(0o555)
    (place / "empty").chmod(0o555)
    return found


def contents(folder):
    return {str(path): path.stat().st_mtime_ns for path in folder.rglob("*")}


def without_rights():
    """Return what takes root's right to write anywhere away; nothing where nobody has it."""
    if os.geteuid() != 0:
        return ()
    if shutil.which("setpriv") is None:
        pytest.skip("root may write anywhere, and setpriv is not there to take that away")
    return ("setpriv", "--bounding-set=-all", "--inh-caps=-all")


def test_lone_bundle_needs_nothing_beside_it(place, bundle, row):
    cert, key = make_certificate(place)
    secret = KeyFile(place / "keys.json").add(
        ApiKey(name="edge", digest="", verbs=("predict", "metrics"))
    )
    for path in (cert, key, place / "keys.json"):
        path.chmod(0o444)
    before = contents(place)
    words = ("--bundle", bundle, "--keys", place / "keys.json", "--workers", "2")
    words += ("--tls-cert", cert, "--tls-key", key)
    trusting = ssl.create_default_context(cafile=cert)
    with running(*words, cwd=place / "empty", before=without_rights(), tls=trusting) as gateway:
        assert gateway.url.startswith("https://")
        gateway.until(lambda: all(gateway.status("/readyz") == 200 for _ in range(8)))
        for _ in range(8):
            status, _, content = gateway.ask("/predict", row, secret)
            assert (status, content["label"], content["model_version"]) == (200, "Yes", "1")
        assert gateway.status("/predict", row) == 401
        answered = "model_predictions_total{"
        gateway.until(lambda: answered in gateway.ask("/metrics", token=secret)[2])
        status, _, content = gateway.ask("/outcomes", {"prediction_id": "x", "outcome": 1}, secret)
        assert (status, "not outcomes" in content["error"]) == (403, True)
        assert gateway.stop() == (0, "")
    assert contents(place) == before


def test_lone_bundle_that_was_altered_is_served_by_nobody(place, bundle, row):
    bundle.chmod(0o755)
    (bundle / "model.onnx").chmod(0o644)
    (bundle / "model.onnx").write_bytes(b"altered")
    with running("--bundle", bundle, cwd=place / "empty") as gateway:
        gateway.until(lambda: "bundle was altered" in gateway.ask("/predict", row)[2]["error"])
        assert gateway.status("/predict", row) == 503


def test_keys_that_cannot_be_read_stop_the_start_of_workers(place, bundle):
    for words in (("--keys", "none.json"), ("--oidc-issuer", "http://h", "--oidc-audience", "a")):
        with pytest.raises(RuntimeError, match=r"setpoint: (the API keys|http://h/ is plain http)"):
            running("--bundle", bundle, "--workers", "2", *words, cwd=place).__enter__()
    assert not list(place.glob("*.db"))
