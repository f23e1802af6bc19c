"""Calls without a socket, and addresses of gateways that have one."""

import msgspec
import pytest
from tests.gateway.test_tls import certificate  # noqa: F401 (a fixture)

from setpoint.gateway.grpc.calls import CALLS, find_call
from setpoint.gateway.grpc.messages import MESSAGES, PACKAGE, SERVICE
from setpoint.gateway.wire.exchange import Request


class Called:
    """How a call was answered.

    Args:
        response: The response.
        message: Its message; None where the call was refused.
    """

    def __init__(self, response, message):
        self.status = response.status
        self.message = message
        self.headers = dict(response.headers)
        self.error = "" if message else msgspec.json.decode(response.body)["error"]


@pytest.fixture
def call():
    """Call an application: client, name of the call, fields of its message or bytes, headers."""

    def called(client, name, message=b"", headers=None):
        path = f"/{PACKAGE}.{SERVICE}/{name}"
        if not isinstance(message, bytes):
            message = MESSAGES[f"{name}Request"](**message).SerializeToString()
        request = Request(CALLS[path][0], path, headers or {}, message)
        response = client.loop.run_until_complete(client.app.respond(request, find_call))
        found = None
        if response.status == 200:
            found = MESSAGES[f"{name}Response"].FromString(response.body)
        return Called(response, found)

    return called


@pytest.fixture
def address_of():
    """Return host and port of a gateway process's door for gRPC, once it is open."""

    def address(gateway):
        line = gateway.process.stdout.readline().decode()
        if "://" not in line:
            raise RuntimeError(gateway.process.stderr.read().decode())
        return line.split()[-1].partition("://")[2]

    return address
