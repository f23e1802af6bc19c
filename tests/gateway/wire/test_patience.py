"""Tests of how clients say how long they wait."""

import math

import pytest

from setpoint.gateway.wire.patience import parameter_patience_s, patience_s
from setpoint.gateway.wire.refusal import RefusedError


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, math.inf),
        ({b"grpc-timeout": b"500m"}, 0.5),
        ({b"grpc-timeout": b"2S"}, 2.0),
        ({b"grpc-timeout": b" 3M "}, 180.0),
        ({b"grpc-timeout": b"1H"}, 3600.0),
        ({b"grpc-timeout": b"250u"}, 0.00025),
        ({b"grpc-timeout": b"99999999n"}, 0.099999999),
        ({b"grpc-timeout": b"0m"}, 0.0),
        ({b"x-envoy-expected-rq-timeout-ms": b"1500"}, 1.5),
        ({b"x-envoy-expected-rq-timeout-ms": b"0"}, math.inf),
        ({b"x-envoy-expected-rq-timeout-ms": b"1500", b"grpc-timeout": b"1S"}, 1.0),
        ({b"x-envoy-expected-rq-timeout-ms": b"15", b"grpc-timeout": b"1S"}, 0.015),
    ],
)
def test_headers_of_others_are_understood(headers, seconds):
    assert patience_s(headers) == pytest.approx(seconds)


@pytest.mark.parametrize(
    "headers",
    [
        {b"grpc-timeout": b"5"},
        {b"grpc-timeout": b"5s"},
        {b"grpc-timeout": b"-5S"},
        {b"grpc-timeout": b"0.5S"},
        {b"grpc-timeout": b"123456789S"},
        {b"grpc-timeout": "٣S".encode()},
        {b"x-envoy-expected-rq-timeout-ms": b"1.5"},
        {b"x-envoy-expected-rq-timeout-ms": b"inf"},
    ],
)
def test_header_that_cannot_be_read_is_refused_and_not_passed_over(headers):
    with pytest.raises(RefusedError, match="header ") as caught:
        patience_s(headers)
    assert caught.value.status == 400


@pytest.mark.parametrize(
    ("parameters", "seconds"),
    [(None, math.inf), ({}, math.inf), ({"timeout": 0}, math.inf), ({"timeout": 2_500}, 0.0025)],
)
def test_tritons_parameter_is_in_microseconds(parameters, seconds):
    assert parameter_patience_s(parameters) == seconds


@pytest.mark.parametrize("given", [-1, 1.5, "5", True, [5]])
def test_parameter_that_is_no_number_of_microseconds_is_refused(given):
    with pytest.raises(RefusedError, match="whole microseconds"):
        parameter_patience_s({"timeout": given})


@pytest.mark.parametrize("micros", [10**16, 2**64, 10**400])
def test_timeout_beyond_every_clock_is_no_timeout(micros):
    assert parameter_patience_s({"timeout": micros}) == math.inf
