"""How long a client waits for its answer, where it says so. The gateway never works longer than its own deadline.

Three ways of saying it are understood, none of them ours: the header `grpc-timeout`, of gRPC and of gateways from HTTP
to it (`500m`: a whole number and one of H, M, S, m, u, n); `x-envoy-expected-rq-timeout-ms`, which Envoy and so Istio
tell the servers behind them; and of the Open Inference Protocol Triton's parameter `timeout`, in microseconds.
"""

import math
import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from setpoint.gateway.wire.refusal import RefusedError, refuse

GRPC_TIMEOUT = b"grpc-timeout"
ENVOY_TIMEOUT = b"x-envoy-expected-rq-timeout-ms"

_UNITS_S: Mapping[bytes, float] = MappingProxyType(
    {b"H": 3600.0, b"M": 60.0, b"S": 1.0, b"m": 1e-3, b"u": 1e-6, b"n": 1e-9}
)
_GRPC = re.compile(rb"\s*([0-9]{1,8})([HMSmun])\s*")
_LONGEST_US = 10**15  # thirty years
_MILLISECONDS = re.compile(rb"\s*([0-9]{1,12})\s*")


def patience_s(headers: Mapping[bytes, bytes]) -> float:
    """Return the seconds that a request's headers grant; infinity where they say nothing.

    Raises:
        RefusedError: 400; a header cannot be read.
    """
    if GRPC_TIMEOUT not in headers and ENVOY_TIMEOUT not in headers:
        return math.inf
    granted = math.inf
    if given := headers.get(GRPC_TIMEOUT):
        found = _GRPC.fullmatch(given)
        if found is None:
            raise _unreadable("grpc-timeout", given, "a whole number and a unit, such as 500m")
        granted = int(found[1]) * _UNITS_S[found[2]]
    if given := headers.get(ENVOY_TIMEOUT):
        found = _MILLISECONDS.fullmatch(given)
        if found is None:
            raise _unreadable(ENVOY_TIMEOUT.decode(), given, "whole milliseconds")
        # Envoy's 0 is no timeout.
        granted = min(granted, int(found[1]) / 1000 or math.inf)
    return granted


def parameter_patience_s(parameters: Mapping[str, Any] | None) -> float:
    """Return the seconds that a request's parameter `timeout` grants, as Triton has it; infinity for 0 or none.

    Raises:
        RefusedError: 400; it is no whole number of microseconds.
    """
    given = parameters.get("timeout") if parameters else None
    if given is None:
        return math.inf
    if isinstance(given, bool) or not isinstance(given, int) or given < 0:
        shown = repr(given)[:40]
        raise refuse(400, f"parameter timeout is {shown}, needs whole microseconds, 0 or more")
    if given > _LONGEST_US:
        return math.inf  # JSON has numbers that no float has
    return given / 1e6 or math.inf


def _unreadable(name: str, given: bytes, needed: str) -> RefusedError:
    shown = given[:40].decode("latin-1")
    return refuse(400, f"header {name} is {shown!r}, needs {needed}")
