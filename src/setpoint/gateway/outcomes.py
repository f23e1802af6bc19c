"""`/outcomes`: what turned out to be true of earlier answers."""

from typing import Any

import msgspec

from setpoint.errors import JournalError, OutcomeConflictError, UnknownPredictionError
from setpoint.facts.prediction import Outcome
from setpoint.gateway.exchange import Request, Response, answer_json, decode_json, not_decodable
from setpoint.gateway.refusal import Flaw, RefusedError, refuse
from setpoint.gateway.station import Station

_LISTED = 20


class Told(msgspec.Struct, frozen=True):
    """One outcome as a client sends it: `{"prediction_id": …, "outcome": …}`."""

    prediction_id: str
    outcome: str | float | bool


async def outcomes(station: Station, request: Request) -> Response:
    """Record one outcome, a list of them, or `{"outcomes": […]}`: all or none; the same again changes nothing."""
    schema = station.require_serving().champion.schema
    told = _read(decode_json(request.body))
    station.require_few(len(told))
    at = station.clock.wall()
    facts = [
        Outcome(prediction=one.prediction_id, value=schema.outcome(one.outcome), at=at)
        for one in told
    ]
    try:
        new = await station.writer.record(facts)
    except UnknownPredictionError as error:
        flaws = [
            Flaw(reason=f"no prediction {name[:60]!r} is in the log")
            for name in error.predictions[:_LISTED]
        ]
        raise RefusedError(404, flaws) from error
    except OutcomeConflictError as error:
        raise refuse(409, str(error)) from error
    except JournalError as error:
        flaw = Flaw(reason=f"outcomes cannot be recorded: {error}")
        raise RefusedError(503, [flaw], [(b"retry-after", b"1")]) from error
    return answer_json({"status": "success", "recorded": new, "known": len(facts) - new})


def _read(body: Any) -> list[Told]:
    """Return the outcomes of a decoded body."""
    if isinstance(body, dict) and "outcomes" in body:
        body = body["outcomes"]
    listed = body if isinstance(body, list) else [body]
    if not listed:
        raise refuse(422, "the body has no outcomes")
    try:
        return msgspec.convert(listed, list[Told])
    except msgspec.ValidationError as error:
        raise refuse(
            422, f'outcomes are {{"prediction_id": text, "outcome": value}}: {error}'[:300]
        ) from error
    except RecursionError as error:
        raise not_decodable(error) from error
