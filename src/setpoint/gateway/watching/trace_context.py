"""W3C trace context: the trace that a request is part of, and whether it is sampled.

The rules are those of https://www.w3.org/TR/trace-context/ (version 00, and what it says of later ones) and of
OpenTelemetry's standard samplers.
"""

import re
from collections.abc import Callable

import msgspec

_PARENT = re.compile(
    rb"(?!ff)([0-9a-f]{2})-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(-.*)?"
)
_SAMPLED = 0x01
_FIRST = b"00"  # the one version that there is; what follows its flags is no part of it
_ID = 16  # bytes
_POOL = 256  # ids that one call to the system serves
_LOW = 8  # bytes of an id by which a share is sampled, as OpenTelemetry does


class TraceContext(msgspec.Struct, frozen=True, gc=False):
    """Where a request stands in a trace.

    Args:
        trace_id: Names the trace, 32 hexadecimal digits.
        parent_id: The caller's span, 16 hexadecimal digits; empty where the trace begins here.
        sampled: Whether spans are to be made.
    """

    trace_id: str
    parent_id: str = ""
    sampled: bool = False


def read_traceparent(header: bytes) -> TraceContext | None:
    """Return what the header `traceparent` says; None where it is broken, which means that it was not sent."""
    found = _PARENT.fullmatch(header.strip())
    if found is None or (found[1] == _FIRST and found[5]):
        return None
    sampled = bool(int(found[4], 16) & _SAMPLED)
    return TraceContext(found[2].decode(), found[3].decode(), sampled)


class Sampler:
    """Decides which requests are traced, as OpenTelemetry's samplers of the same names do.

    Args:
        share: Share of traces that are sampled, 0 to 1.
        parent_based: Whether the caller's decision holds where there is a caller.
        entropy: Returns this many random bytes, such as `os.urandom`; asked in advance for many ids.
    """

    def __init__(
        self, share: float, *, parent_based: bool, entropy: Callable[[int], bytes]
    ) -> None:
        self._bound: int = round(share * 2.0 ** (8 * _LOW))
        self._parent_based = parent_based
        self._entropy = entropy
        self._ids: list[bytes] = []

    def context(self, given: TraceContext | None) -> TraceContext | None:
        """Return the context of a request; None where it is part of no trace.

        Args:
            given: What the caller says; None where it says nothing.
        """
        if given is not None:
            if self._parent_based or given.sampled == self._takes(bytes.fromhex(given.trace_id)):
                return given
            return TraceContext(given.trace_id, given.parent_id, not given.sampled)
        if not self._ids:
            pool = self._entropy(_POOL * _ID)
            self._ids = [pool[start : start + _ID] for start in range(0, len(pool), _ID)]
        identity = self._ids.pop()
        return TraceContext(identity.hex(), "", sampled=True) if self._takes(identity) else None

    def _takes(self, identity: bytes) -> bool:
        return int.from_bytes(identity[-_LOW:], "big") < self._bound
