"""Whatever is sent to a door: never a failure, never a wrong answer, never a refusal without a reason."""

import pytest
from hypothesis import HealthCheck, given, settings
from tests.gateway.conftest import fitted
from tests.gateway.door_inputs import Reference, check, requests

from setpoint.gateway.wire.exchange import Request


@pytest.fixture(scope="session")
def reference():
    return Reference(fitted())


@settings(
    max_examples=400,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(asked=requests)
def test_every_request_is_answered_rightly_or_refused_with_a_reason(client, reference, asked):
    headers = {name.encode(): value.encode() for name, value in asked.headers.items()}
    request = Request("POST", asked.path, headers, asked.body)
    found = client.loop.run_until_complete(client.app.respond(request))
    sent = {name.decode(): value.decode() for name, value in found.headers}
    check(asked, found.status, sent, found.body, reference)
