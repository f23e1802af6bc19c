"""Watches requests for the access log and for traces; what is off costs nothing, what is on is written elsewhere."""

import asyncio
from typing import Protocol

from setpoint.clock import Clock
from setpoint.gateway.watching.trace_context import Sampler, read_traceparent
from setpoint.gateway.watching.trail import Trail
from setpoint.gateway.wire.exchange import Request, Response

TRACEPARENT = b"traceparent"


class Sink(Protocol):
    """Where trails go. It never blocks and never raises; what it cannot take it counts."""

    def put(self, trail: Trail) -> None:
        """Take the trail of a request that was answered."""

    def close(self) -> None:
        """Write what waits, for a few seconds at most; called on a thread of its own."""


class Watch:
    """Makes the trails of one gateway process, and hands them on.

    Args:
        clock: Stamps them.
        lines: Takes the trail of every request; None where there is no access log.
        traces: Takes the trails of sampled requests; None where there are no traces.
        sampler: Decides which these are; None where there are no traces.
    """

    def __init__(
        self,
        clock: Clock,
        *,
        lines: Sink | None = None,
        traces: Sink | None = None,
        sampler: Sampler | None = None,
    ) -> None:
        self._clock = clock
        self._lines = lines
        self._traces = traces
        self._sampler = sampler
        self.is_on = lines is not None or traces is not None

    @property
    def sinks(self) -> tuple[Sink, ...]:
        """Where trails go."""
        return tuple(sink for sink in (self._lines, self._traces) if sink is not None)

    def begin(self, request: Request, started: float) -> Trail | None:
        """Return the trail of a request; None where nobody wants it.

        Args:
            request: The request.
            started: Now, on the clock's stopwatch.
        """
        header = request.headers.get(TRACEPARENT)
        context = None if header is None else read_traceparent(header)
        if self._sampler is not None:
            context = self._sampler.context(context)
        if context is None and self._lines is None:
            return None
        return Trail(at=self._clock.wall(), started=started, context=context)

    def end(self, trail: Trail, request: Request, route: str, response: Response) -> None:
        """Hand on the trail of a request that is answered."""
        if not self.is_on:
            return
        trail.ended = self._clock.stopwatch()
        trail.method, trail.path, trail.peer = request.method, request.path, request.peer
        trail.route, trail.status, trail.refused = route, response.status, response.refused
        trail.received = len(request.body)
        trail.sent = 0 if request.method == "HEAD" else len(response.body)
        trail.request = trail.request or request.request_id
        trail.state = request.header(b"tracestate")
        if self._lines is not None:
            self._lines.put(trail)
        if self._traces is not None and trail.context is not None and trail.context.sampled:
            # The answer leaves first.
            asyncio.get_running_loop().call_soon(self._traces.put, trail)

    def note(self, status: int, kind: str, peer: str, seconds: float) -> None:
        """Hand on that somebody was refused who sent no whole request."""
        if self._lines is None:
            return
        ended = self._clock.stopwatch()
        self._lines.put(
            Trail(
                at=self._clock.wall() - seconds,
                started=ended - seconds,
                ended=ended,
                status=status,
                refused=kind,
                peer=peer,
            )
        )

    async def close(self) -> None:
        """Have what waits written."""
        loop = asyncio.get_running_loop()
        await asyncio.gather(*(loop.run_in_executor(None, sink.close) for sink in self.sinks))
