"""The application: a literal table of routes, one way from request to response."""

import asyncio
import contextlib
import sys
import traceback
from collections.abc import Awaitable, Callable, Mapping

import msgspec

from setpoint.gateway.access.access import UnverifiedError
from setpoint.gateway.doors import (
    docs_page,
    health,
    infer,
    invocations,
    oip,
    openapi,
    outcomes,
    predict,
)
from setpoint.gateway.limits import LimitsInForce
from setpoint.gateway.reporting import Reporter
from setpoint.gateway.station import Station
from setpoint.gateway.watching.metrics import OTHER, Reading
from setpoint.gateway.watching.siblings import Siblings
from setpoint.gateway.watching.watch import TRACEPARENT, Watch
from setpoint.gateway.wire.exchange import Request, Response, answer_refusal
from setpoint.gateway.wire.refusal import Flaw, RefusedError, refuse

Handler = Callable[[Station, Request], Awaitable[Response]]
Find = Callable[[str], tuple[str, str, Handler, Mapping[str, str]]]
"""From a path to its route, method, handler, and the parts of the path that the route names; or a refusal."""

_GET, _POST = "GET", "POST"

ROUTES: dict[str, tuple[str, Handler]] = {
    "/predict": (_POST, predict.predict),
    "/v1/predict": (_POST, predict.predict_v1),
    "/invocations": (_POST, invocations.invocations),
    "/outcomes": (_POST, outcomes.outcomes),
    "/health": (_GET, health.health),
    "/healthz": (_GET, health.alive),
    "/livez": (_GET, health.alive),
    "/readyz": (_GET, health.ready),
    "/ping": (_GET, invocations.ping),
    "/version": (_GET, invocations.version),
    "/metrics": (_GET, health.metrics),
    "/openapi.json": (_GET, openapi.openapi),
    "/docs": (_GET, docs_page.docs),
    "/v2": (_GET, oip.server),
    "/v2/health/live": (_GET, oip.server_live),
    "/v2/health/ready": (_GET, oip.server_ready),
    "/v2/models": (_GET, oip.models),
    "/v2/repository/index": (_POST, oip.repository_index),
}
_MODELS = "/v2/models/"
MODEL_ROUTES: dict[str, tuple[str, Handler]] = {
    "": (_GET, oip.model),
    "ready": (_GET, oip.model_ready),
    "config": (_GET, oip.model_config),
    "infer": (_POST, infer.infer),
}
_REFUSALS = {"/invocations": invocations.answer_refusal}  # routes that refuse in words of their own
_METHODS = frozenset(  # those of RFC 9110 and RFC 5789; clients may make up others
    ("CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "TRACE")
)
_STATUS_TEXT = {status: str(status) for status in range(100, 600)}


class App:
    """The application of one gateway process.

    Args:
        station: What the doors share.
        reporter: Tells control what this gateway follows; None where no control listens.
        siblings: Shares metrics with other workers; None where there are none.
        watch: Watches requests; None where nobody does.
    """

    def __init__(
        self,
        station: Station,
        reporter: Reporter | None = None,
        siblings: Siblings | None = None,
        watch: Watch | None = None,
    ) -> None:
        self._station = station
        self._watch = watch or Watch(station.clock)
        self._reporter = reporter
        self._siblings = siblings
        self._tasks: list[asyncio.Task[None]] = []
        self._active = 0
        station.gauges.add(
            (
                Reading(
                    "http_server_active_requests",
                    "Requests that are being answered.",
                    lambda: {(): float(self._active)},
                    across="sum",
                ),
                Reading(
                    "setpoint_ready",
                    "1 while all workers shall get traffic, as /readyz says.",
                    lambda: {(): float(not health.unready_reasons(station))},
                    across="min",
                ),
            )
        )

    def show_connections(self, count: Callable[[], int]) -> None:
        """Show in the metrics how many connections there are."""
        self._station.gauges.add(
            (
                Reading(
                    "setpoint_connections",
                    "Open connections of clients over HTTP.",
                    lambda: {(): float(count())},
                    across="sum",
                ),
            )
        )

    @property
    def is_watched(self) -> bool:
        """Whether anybody wants to know where requests come from."""
        return self._watch.is_on

    @property
    def limits(self) -> LimitsInForce:
        """What the process takes on at this moment."""
        return self._station.limits

    @property
    def settled(self) -> asyncio.Event:
        """Set once a model is served, or there is none to serve yet."""
        return self._station.follower.settled

    def begin_to_drain(self) -> None:
        """Be unready from now on, and go on answering."""
        self._station.phase.draining = True

    async def start(self) -> None:
        """Start the log writer, the follower and the reporter."""
        self._station.writer.start()
        if self._station.shadows is not None:
            self._station.shadows.start()
        self._tasks.append(asyncio.create_task(self._station.follower.run()))
        if self._reporter is not None:
            self._tasks.append(asyncio.create_task(self._reporter.run()))
        if self._station.access is not None:
            self._tasks.append(asyncio.create_task(self._station.access.run()))
        if self._siblings is not None:
            sharing = self._siblings.run(self._station.gauges.samples)
            self._tasks.append(asyncio.create_task(sharing))

    async def stop(self) -> None:
        """When no request is left: write what waits, and say goodbye."""
        for task in self._tasks:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
        if self._reporter is not None:
            await self._reporter.withdraw()
        if self._station.shadows is not None:
            await self._station.shadows.stop()
        if self._siblings is not None:
            await self._siblings.write(self._station.gauges.samples())
        lost = await self._station.writer.drain()
        if lost:
            sys.stderr.write(f"setpoint gateway: {lost} answers could not be written to the log\n")
        await self._watch.close()

    async def respond(self, request: Request, find: Find | None = None) -> Response:
        """Answer one request and measure it; never raises.

        Args:
            request: The request.
            find: Finds its route; None for those over HTTP.
        """
        station = self._station
        started = station.clock.stopwatch()
        route, trail, watch = "unknown", None, self._watch
        if watch.is_on or TRACEPARENT in request.headers:
            trail = watch.begin(request, started)
            request = msgspec.structs.replace(request, trail=trail)
        self._active += 1
        try:
            route, method, handler, place = (find or find_route)(request.path)
            if place:
                request = msgspec.structs.replace(request, place=place)
            try:
                self._require_taken(request, method)
            except UnverifiedError:
                await self._verify(request)
                self._require_taken(request, method)
            if find is not None:
                self._require_small(request)
            response = await handler(station, request)
        except RefusedError as refusal:
            response = _REFUSALS.get(route, answer_refusal)(refusal)
        except Exception:  # noqa: BLE001 (the request's outermost frame: it is answered, and the trace is kept)
            traceback.print_exc(file=sys.stderr)
            failed = refuse(500, "the gateway failed; its error output says how")
            response = _REFUSALS.get(route, answer_refusal)(failed)
        finally:
            self._active -= 1
        if response.refused:
            station.gauges.refused(response.refused, response.flaws)
        method = request.method if request.method in _METHODS else OTHER
        labels = (method, route, _STATUS_TEXT[response.status])
        station.gauges.requests.observe(labels, station.clock.stopwatch() - started)
        if trail is not None:
            watch.end(trail, request, route, response)
        return response

    def note(self, refusal: RefusedError, peer: str, seconds: float) -> None:
        """Count somebody who was refused before there was a whole request.

        Args:
            refusal: Why.
            peer: Address of the client, or empty.
            seconds: Since the request began.
        """
        gauges = self._station.gauges
        gauges.refused(refusal.kind, refusal.flaws)
        gauges.requests.observe((OTHER, "unknown", _STATUS_TEXT[refusal.status]), seconds)
        self._watch.note(refusal.status, refusal.kind, peer, seconds)

    async def _verify(self, request: Request) -> None:
        """Verify the token of a request; this waits only where its issuer must be asked.

        Raises:
            RefusedError: 401 it is not taken; 503 it cannot be verified at the moment.
        """
        if self._station.access is not None:
            await self._station.access.verify(request)

    def _require_small(self, request: Request) -> None:
        """Refuse a body that is too large at this moment; the door for HTTP reads none.

        Raises:
            RefusedError: 413.
        """
        most = self._station.limits.body
        if len(request.body) > most:
            raise refuse(413, f"the message is larger than {most} bytes")

    def _require_taken(self, request: Request, method: str) -> None:
        """Refuse a request that this route does not take, that no key allows, or that is one too many.

        Raises:
            RefusedError: 401 or 403 no key allows it, 405 wrong method, 415 compressed body, 429 too many requests at
                once.
        """
        if request.method != method and not (method == _GET and request.method == "HEAD"):
            flaw = Flaw(reason=f"{request.path[:100]} takes {method}, not {request.method[:20]}")
            raise RefusedError(405, [flaw], [(b"allow", method.encode())])
        station = self._station
        if station.access is not None:
            served = station.follower.serving
            caller = station.access.require(
                request, "" if served is None else served.deployment.model
            )
            if request.trail is not None:
                request.trail.caller = caller
        if method == _GET:
            return
        encoding = request.headers.get(b"content-encoding")
        if encoding is not None and encoding != b"identity":
            raise refuse(415, "the body is compressed; send it as plain JSON")
        if self._active > station.limits.requests:
            flaw = Flaw(reason=f"{self._active - 1} requests are being answered; try again")
            raise RefusedError(429, [flaw], [(b"retry-after", b"1")])


def find_route(path: str) -> tuple[str, str, Handler, Mapping[str, str]]:
    """Return route, method, handler and the parts of the path that the route names.

    Raises:
        RefusedError: 404; there is no such path.
    """
    if found := ROUTES.get(path):
        return path, *found, {}
    if path.startswith(_MODELS):
        parts = path[len(_MODELS) :].split("/")
        place = {"model": parts[0]}
        route, rest = f"{_MODELS}{{model}}", parts[1:]
        if len(rest) > 1 and rest[0] == "versions":
            place["version"] = rest[1]
            route, rest = f"{route}/versions/{{version}}", rest[2:]
        verb = rest[0] if rest else ""
        if len(rest) <= 1 and all(place.values()) and (found := MODEL_ROUTES.get(verb)):
            return f"{route}/{verb}".rstrip("/"), *found, place
    raise refuse(404, f"there is no {path[:100]!r}; there are {', '.join(ROUTES)} and {_MODELS}…")
