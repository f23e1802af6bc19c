"""What became of one request, for those who watch: the access log and traces. Made only where somebody does."""

from collections.abc import Sequence

import msgspec

from setpoint.gateway.watching.trace_context import TraceContext


class Trail(msgspec.Struct, gc=False, kw_only=True):
    """Fills up while a request is answered. Moments are seconds on the gateway's stopwatch; 0 where they never came.

    Args:
        at: When the request was there, in seconds since 1970-01-01 UTC.
        started: The same moment.
        decoded: When its rows were decoded.
        inferred: When the model had answered.
        logged: When the log's promise was kept.
        ended: When the answer was ready.
        method: HTTP method.
        path: Path without the query, percent-decoded.
        route: The route that it matched; `unknown` for none.
        status: HTTP status of the answer.
        refused: Kind of refusal; empty where it is none.
        peer: Address of the client, and its port.
        received: Bytes of the request's body.
        sent: Bytes of the answer's body.
        request: Id that the client gave, or empty.
        caller: Whose key or token it is, or empty.
        context: The trace that it is part of; None where there is none.
        state: The header `tracestate`, which travels with it.
        model: Name of the model that answered, or empty.
        version: Its version.
        variant: The part that it plays.
        ids: Prediction id of each row.
    """

    at: float
    started: float
    decoded: float = 0.0
    inferred: float = 0.0
    logged: float = 0.0
    ended: float = 0.0
    method: str = ""
    path: str = ""
    route: str = "unknown"
    status: int = 0
    refused: str = ""
    peer: str = ""
    received: int = 0
    sent: int = 0
    request: str = ""
    caller: str = ""
    context: TraceContext | None = None
    state: str = ""
    model: str = ""
    version: str = ""
    variant: str = ""
    ids: Sequence[str] = ()

    @property
    def trace_id(self) -> str:
        """Names the trace; empty where there is none."""
        return "" if self.context is None else self.context.trace_id

    def choose(self, decoded: float, model: str, version: str, variant: str) -> None:
        """Note when the rows were decoded, and who is to answer them."""
        self.decoded, self.model, self.version, self.variant = decoded, model, version, variant
