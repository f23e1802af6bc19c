"""`/outcomes`: what turned out to be true of earlier answers."""

import asyncio
from collections.abc import Sequence
from typing import Any

import msgspec

from setpoint.errors import JournalError, OutcomeConflictError, UnknownPredictionError
from setpoint.facts.prediction import Outcome
from setpoint.gateway.rows.rows import entity_text
from setpoint.gateway.station import Station
from setpoint.gateway.wire.exchange import (
    Request,
    Response,
    answer_json,
    decode_json,
    not_decodable,
)
from setpoint.gateway.wire.patience import patience_s
from setpoint.gateway.wire.refusal import Flaw, RefusedError, refuse

_LISTED = 20
_FORM = '{"prediction_id": text, "outcome": value} or {"key": value, "outcome": value}'


class Told(msgspec.Struct, frozen=True):
    """One outcome as a client sends it: by the id of a prediction, or by the key that it was about.

    Args:
        outcome: What turned out to be true.
        prediction_id: Names the prediction.
        key: Value of the contract's `data.key`; means the one prediction about it.
        latest: With `key`: the newest prediction is meant where there are several.
    """

    outcome: str | float | bool
    prediction_id: str = ""
    key: str | int | float = ""
    latest: bool = False


async def outcomes(station: Station, request: Request) -> Response:
    """Record one outcome, a list of them, or `{"outcomes": […]}`: all or none; the same again changes nothing."""
    schema = station.require_serving().champion.schema
    told = _read(decode_json(request.body))
    station.require_few(len(told))
    values = [schema.outcome(one.outcome) for one in told]
    at = station.clock.wall()
    granted_s = min(patience_s(request.headers), station.limits.deadline_s)
    try:
        async with asyncio.timeout(granted_s):
            names = await _names(station, told)
            new = await station.writer.record(
                [
                    Outcome(prediction=name, value=value, at=at)
                    for name, value in zip(names, values, strict=True)
                ]
            )
    except TimeoutError as error:
        reason = (
            f"the log did not say within {granted_s:g} s that the outcomes are recorded; tell them again, which "
            "changes nothing if they were"
        )
        raise refuse(504, reason) from error
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
        raise RefusedError(503, [flaw], [(b"retry-after", b"1")], "log") from error
    return answer_json({"status": "success", "recorded": new, "known": len(told) - new})


async def _names(station: Station, told: Sequence[Told]) -> list[str]:
    """Return the id of the prediction that each outcome is about.

    Raises:
        RefusedError: 404 for a key that no prediction is about; 409 for one that several are about, where it is not
            said that the newest is meant; 422 where answers have no key.
        JournalError: The log cannot be read.
    """
    keys = [entity_text(one.key) for one in told]
    wanted = sorted({key for key, one in zip(keys, told, strict=True) if not one.prediction_id})
    if not wanted:
        return [one.prediction_id for one in told]
    if not station.require_serving().champion.schema.key:
        raise refuse(
            422, "answers have no key: the contract does not name data.key; send prediction_id"
        )
    ids = await station.writer.of_keys(wanted)
    if unknown := [key for key in wanted if key not in ids]:
        flaws = [
            Flaw(reason=f"no prediction about the key {key[:60]!r} is in the log")
            for key in unknown[:_LISTED]
        ]
        raise RefusedError(404, flaws)
    names = []
    for row, (key, one) in enumerate(zip(keys, told, strict=True)):
        if not one.prediction_id and len(ids[key]) > 1 and not one.latest:
            raise refuse(
                409,
                f"{len(ids[key])} predictions are about the key {key[:60]!r}: send prediction_id, or latest: true "
                "for the newest",
                row=row,
            )
        names.append(one.prediction_id or ids[key][-1])
    return names


def _read(body: Any) -> list[Told]:
    """Return the outcomes of a decoded body."""
    if isinstance(body, dict) and "outcomes" in body:
        body = body["outcomes"]
    listed = body if isinstance(body, list) else [body]
    if not listed:
        raise refuse(422, "the body has no outcomes")
    try:
        told = msgspec.convert(listed, list[Told])
    except msgspec.ValidationError as error:
        raise refuse(422, f"outcomes are {_FORM}: {error}"[:300]) from error
    except RecursionError as error:
        raise not_decodable(error) from error
    for row, one in enumerate(told):
        if bool(one.prediction_id) == bool(entity_text(one.key)):
            raise refuse(422, f"outcomes are {_FORM}: one of prediction_id and key", row=row)
    return told
