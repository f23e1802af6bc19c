"""Whether the gateway lives, whether it shall get traffic, and what it counts."""

from setpoint.gateway.station import Station
from setpoint.gateway.watching.metrics import OPENMETRICS, PROMETHEUS
from setpoint.gateway.wire.exchange import Request, Response, answer_json


async def alive(station: Station, request: Request) -> Response:
    """Say that the process answers."""
    del station, request
    return answer_json({"status": "alive"})


async def health(station: Station, request: Request) -> Response:
    """Say whether a model is loaded, as hand-written servers do."""
    del request
    serving = station.follower.serving
    if serving is None:
        return answer_json({"status": "unhealthy", "model_loaded": False}, 503)
    return answer_json(
        {
            "status": "healthy",
            "model_loaded": True,
            "model": serving.deployment.model,
            "model_version": serving.champion.text,
        }
    )


async def ready(station: Station, request: Request) -> Response:
    """Say whether the gateway shall get traffic, and what is not in order.

    A refused document is a warning: the last good one is still served. So is an issuer of tokens that is down while
    some are known. No model, a log that cannot be written, or no way in, is a reason to send no traffic.
    """
    del request
    reasons = unready_reasons(station)
    serving = station.follower.serving
    content = {
        "ready": not reasons,
        "reasons": reasons,
        "warnings": _warnings(station),
        "generation": station.follower.generation,
        "versions": [version.text for version in serving.versions.values()] if serving else [],
        "weights": serving.deployment.weights if serving else {},
    }
    return answer_json(content, 503 if reasons else 200)


async def metrics(station: Station, request: Request) -> Response:
    """Return the metrics, in the format that the scraper prefers."""
    openmetrics = "application/openmetrics-text" in request.header(b"accept")
    kind = OPENMETRICS if openmetrics else PROMETHEUS
    return Response(200, station.gauges.text(openmetrics=openmetrics), kind.encode())


def unready_reasons(station: Station) -> list[str]:
    """Return why the gateway shall get no traffic; empty when it shall."""
    reasons = []
    if station.phase.draining:
        reasons.append("draining: the gateway was told to stop")
    if station.follower.serving is None:
        reasons.append(f"no model is loaded: {station.follower.refused or 'loading'}")
    if problem := station.writer.problem:
        reasons.append(problem)
    if station.access is not None and (problem := station.access.unready):
        reasons.append(f"nobody can come in: {problem}")
    return reasons


def _warnings(station: Station) -> list[str]:
    """Return what is not in order though the gateway shall get traffic."""
    refused = station.follower.refused if station.follower.serving is not None else ""
    access = "" if station.access is None else station.access.warning
    return [one for one in (refused, access) if one]
