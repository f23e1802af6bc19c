"""Thousands of generated requests to a live gateway: sound ones, nearly sound ones, and anything at all.

Half are drawn from strategies of our own, whose answers a reference formula knows; half are schemathesis' own, drawn
from the gateway's OpenAPI document, as described and otherwise. It prints what came back by door and status, and raises
at the first answer that is a failure, wrong, or a refusal without a reason.

    python -m benchmarks.door_inputs --inputs 20000
"""

import argparse
import http.client
import tempfile
import time
from collections import Counter
from pathlib import Path
from urllib.parse import urlsplit

import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from tests.gateway.conftest import Process, Project, fitted, onnx_bytes
from tests.gateway.door_inputs import Asked, Reference, check, requests
from tests.gateway.doors.test_openapi import CHECKS

_READY_S = 30.0
_MODES = (schemathesis.GenerationMode.POSITIVE, schemathesis.GenerationMode.NEGATIVE)
_FAILED = 500

Came = Counter[tuple[str, int]]


class Connection:
    """A connection that is opened anew when the gateway closes it.

    Args:
        url: The gateway.
    """

    def __init__(self, url: str) -> None:
        self._address = urlsplit(url).netloc
        self._link = http.client.HTTPConnection(self._address, timeout=20)

    def send(self, asked: Asked) -> tuple[int, dict[str, str], bytes]:
        """Return status, headers by lower-case name, and body."""
        try:
            self._link.request("POST", asked.path, asked.body, asked.headers)
            found = self._link.getresponse()
            body = found.read()
        except (http.client.HTTPException, OSError):
            self._link.close()
            raise
        return found.status, {name.lower(): value for name, value in found.getheaders()}, body

    def is_ready(self) -> bool:
        """Return whether the gateway takes traffic."""
        self._link.request("GET", "/readyz")
        found = self._link.getresponse()
        found.read()
        return found.status == http.HTTPStatus.OK


def own(connection: Connection, reference: Reference, inputs: int, first: int) -> Came:
    """Send requests of our own strategies, and return what came back."""
    came: Came = Counter()

    @seed(first)
    @_settings(inputs)
    @given(asked=requests)
    def ask(asked: Asked) -> None:
        status, headers, body = connection.send(asked)
        came[asked.path, status] += 1
        check(asked, status, headers, body, reference)

    ask()
    return came


def described(url: str, inputs: int, first: int) -> Came:
    """Send requests that schemathesis draws from the document, and return what came back."""
    came: Came = Counter()
    schema = schemathesis.openapi.from_url(f"{url}/openapi.json")
    operations = [found.ok() for found in schema.get_all_operations()]
    operations = [operation for operation in operations if operation.body]
    for operation in operations:
        for mode in _MODES:

            @seed(first)
            @_settings(inputs // (len(operations) * len(_MODES)))
            @given(case=operation.as_strategy(generation_mode=mode))
            def ask(case: schemathesis.Case) -> None:
                response = case.call_and_validate(checks=CHECKS)
                came[case.operation.path, response.status_code] += 1

            ask()
    return came


def _settings(inputs: int) -> settings:
    return settings(
        max_examples=inputs,
        deadline=None,
        database=None,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )


def main() -> None:
    """Run it."""
    reader = argparse.ArgumentParser(description=__doc__)
    reader.add_argument("--inputs", type=int, default=20_000)
    reader.add_argument("--seed", type=int, default=7)
    asked = reader.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        pipeline = fitted()
        project = Project(Path(folder) / "store", {1: onnx_bytes(pipeline)})
        project.add(1)
        project.deploy(1, {1: 1.0})
        gateway = Process(project)
        try:
            connection = Connection(gateway.url)
            started = time.perf_counter()
            while not connection.is_ready() and time.perf_counter() - started < _READY_S:
                time.sleep(0.05)
            came = own(connection, Reference(pipeline), asked.inputs // 2, asked.seed)
            came += described(gateway.url, asked.inputs - asked.inputs // 2, asked.seed)
            _print(came, time.perf_counter() - started)
            code, errors = gateway.terminate()
            print(f"the gateway ended with code {code}" + (f": {errors}" if errors else ""))
        finally:
            gateway.close()


def _print(came: Came, seconds: float) -> None:
    for (door, status), count in sorted(came.items()):
        print(f"{door:26} {status} {count:7,}")
    failed = sum(count for (_, status), count in came.items() if status >= _FAILED)
    print(
        f"{sum(came.values()):,} requests in {seconds:.0f} s: {failed} failures, none wrong, every refusal said why"
    )


if __name__ == "__main__":
    main()
