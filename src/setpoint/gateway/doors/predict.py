"""`/predict` and `/v1/predict`: the shapes that hand-written model servers have."""

from collections.abc import Sequence
from typing import Any

import msgspec

from setpoint.gateway.answering import Answered
from setpoint.gateway.rows.rows import WRAPPERS, Rows, TypedRows, read_rows
from setpoint.gateway.rows.typed_rows import typed_rows
from setpoint.gateway.serving import Serving
from setpoint.gateway.station import Station
from setpoint.gateway.wire.exchange import Request, Response, answer_json, decode_json
from setpoint.gateway.wire.patience import patience_s


class RowAnswer(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """What one flat row is answered; `label` only where the model knows classes."""

    model_version: str
    contract: str
    variant: str
    generation: int
    status: str
    prediction: str | float
    probability: float | None
    prediction_id: str
    label: str | float | None = None


class Wrapped(msgspec.Struct, frozen=True, gc=False):
    """A body with a name around its rows, which stay undecoded; the names are `WRAPPERS`."""

    features: msgspec.Raw = msgspec.Raw()
    instances: msgspec.Raw = msgspec.Raw()


_decode_wrapped = msgspec.json.Decoder(Wrapped).decode


async def predict(station: Station, request: Request) -> Response:
    """Answer a flat row with single values, or rows with lists: `prediction`, `probability`, `status`."""
    answered, flat = await _answer(station, request)
    predictions, probability = _predictions(answered), answered.decided.probability
    if flat:
        return answer_json(
            RowAnswer(
                answered.choice.version.text,
                answered.contract,
                answered.choice.variant,
                answered.generation,
                "success",
                predictions[0],
                probability[0] if probability else None,
                answered.ids[0],
                answered.decided.labels[0] if answered.schema.classes else None,
            )
        )
    content = _provenance(answered)
    content["status"] = "success"
    content["prediction"] = predictions
    content["probability"] = probability or None
    content["prediction_ids"] = answered.ids
    if answered.schema.classes:
        content["label"] = answered.decided.labels
    return answer_json(content)


async def predict_v1(station: Station, request: Request) -> Response:
    """Answer rows with `predictions` and `model_version`."""
    answered, _ = await _answer(station, request)
    content = _provenance(answered)
    content["predictions"] = _predictions(answered)
    content["probabilities"] = answered.decided.probability or None
    content["prediction_ids"] = answered.ids
    return answer_json(content)


async def _answer(station: Station, request: Request) -> tuple[Answered, bool]:
    """Return the answer, and whether the request was one flat row."""
    serving = station.require_serving()
    rows, flat = _read(request.body, serving)
    station.require_few(rows.count)
    answered = await station.answering.answer(
        serving,
        rows,
        request=request.request_id,
        trail=request.trail,
        pinned=serving.pinned(request),
        within_s=patience_s(request.headers),
    )
    return answered, flat


def _read(body: bytes, serving: Serving) -> tuple[Rows, bool]:
    """Return the rows of a body, and whether it was one flat row: typed at once where that is possible."""
    for name in serving.wrappers:
        if name in body:
            return _read_wrapped(body, serving)
    decoded = serving.decoder.flat(body)
    if decoded is None:
        return _read_wrapped(body, serving)
    row, value = decoded

    def again() -> Rows:
        return _read_slowly(body, serving)[0]

    schema = serving.champion.schema
    return TypedRows((row,), schema, again, serving.extra, (value,)), True


def _read_wrapped(body: bytes, serving: Serving) -> tuple[Rows, bool]:
    """Return the rows of a body that has a name around them, or is a list."""
    given: bytes | msgspec.Raw = body
    if body.lstrip()[:1] != b"[":
        try:
            wrapped = _decode_wrapped(body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return _read_slowly(body, serving)
        found = [
            raw
            for name, raw in zip(WRAPPERS, msgspec.structs.astuple(wrapped), strict=True)
            if bytes(raw) and name not in serving.feature_names
        ]
        if not found:
            return _read_slowly(body, serving)
        given = found[0]
    rows = typed_rows(given, serving, lambda: _read_slowly(body, serving)[0])
    return (rows, False) if rows is not None else _read_slowly(body, serving)


def _read_slowly(body: bytes, serving: Serving) -> tuple[Rows, bool]:
    return read_rows(decode_json(body), serving.feature_names)


def _provenance(answered: Answered) -> dict[str, Any]:
    """Return where the answer comes from."""
    return {
        "model_version": answered.choice.version.text,
        "contract": answered.contract,
        "variant": answered.choice.variant,
        "generation": answered.generation,
    }


def _predictions(answered: Answered) -> Sequence[str | float]:
    """Return predictions as such servers give them: numbers where the classes are numbers.

    A binary task whose classes are words answers 1 for the positive class and 0 for the other; `label` has the words.
    """
    schema, decided = answered.schema, answered.decided
    if not schema.classes:
        return decided.labels
    if schema.class_numbers:
        return [schema.class_numbers[code] for code in decided.codes]
    if schema.document.task == "binary":
        return [int(code == schema.positive) for code in decided.codes]
    return decided.labels
