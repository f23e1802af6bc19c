"""What both doors of the Open Inference Protocol share: rows from input tensors, output tensors from an answer."""

import math
from collections.abc import Sequence
from typing import Any

import msgspec

from setpoint.gateway.answering import Answered
from setpoint.gateway.doors.tensors import FLOATS, Elements
from setpoint.gateway.rows.rows import Columns, Lists, Rows, TypedRows
from setpoint.gateway.serving import Serving
from setpoint.gateway.station import Station
from setpoint.gateway.wire.exchange import Request
from setpoint.gateway.wire.patience import patience_s
from setpoint.gateway.wire.refusal import refuse

_MATRIX = 2  # dimensions of a tensor that holds whole rows
_encode = msgspec.json.Encoder().encode


async def answer_tensors(
    station: Station,
    request: Request,
    serving: Serving,
    found: Sequence[Elements],
    *,
    identity: str,
    version: str,
    within_s: float = math.inf,
) -> Answered:
    """Answer the rows that tensors hold.

    Args:
        station: What the doors share.
        request: The request, for its headers.
        serving: What is served.
        found: The request's tensors.
        identity: Id that the client gave, or empty.
        version: Version that the request names, or empty.
        within_s: Seconds that a parameter of the request grants.

    Raises:
        RefusedError: As `rows_of` and `Answering.answer` say.
    """
    return await station.answering.answer(
        serving,
        rows_of(found, serving, station),
        request=identity[:200] or request.request_id,
        trail=request.trail,
        pinned=version or serving.pinned(request),
        within_s=min(within_s, patience_s(request.headers)),
    )


def rows_of(found: Sequence[Elements], serving: Serving, station: Station) -> Rows:
    """Return the rows of a request: one tensor a column, or one tensor of whole rows.

    Raises:
        RefusedError: 400 there are no tensors; 413 too many rows; 422 the tensors do not fit each other.
    """
    if not found:
        raise refuse(400, "the request has no inputs")
    first = found[0]
    shape = first.tensor.shape
    station.require_few(shape[0])
    if (
        len(found) == 1
        and len(shape) == _MATRIX
        and (shape[1] != 1 or first.tensor.name not in serving.feature_names)
    ):
        return _typed(first, serving) or _matrix(first)
    fitting = ([shape[0]], [shape[0], 1])
    columns: dict[str, Sequence[Any]] = {}
    for one in found:
        tensor = one.tensor
        if tensor.shape not in fitting:
            said = f"has shape {tensor.shape[:5]}, needs [{shape[0]}] like {first.name!r}"
            raise refuse(422, said, column=one.name)
        if tensor.name in columns:
            raise refuse(422, "is given twice", column=one.name)
        columns[tensor.name] = one.values()
    return Columns(columns, shape[0])


def _typed(matrix: Elements, serving: Serving) -> Rows | None:
    """Return the rows of a matrix of floats, typed at once where the champion takes numbers only; else None."""
    decoder, shape = serving.decoder, matrix.tensor.shape
    schema = serving.champion.schema
    if (
        not decoder.numeric
        or matrix.tensor.datatype not in FLOATS
        or shape[1] != len(schema.names)
        or (numbers := matrix.numbers()) is None
    ):
        return None
    rows = decoder.numbers(numbers)
    if rows is None or len(rows) != shape[0]:
        return None
    extras = decoder.extras(rows)
    return TypedRows(rows, schema, lambda: _matrix(matrix), serving.extra, extras)


def _matrix(matrix: Elements) -> Lists:
    """Return the rows of a tensor [n, k]."""
    rows, width = matrix.tensor.shape
    values = matrix.values()
    return Lists([values[row * width : (row + 1) * width] for row in range(rows)])


def parameters_of(answered: Answered) -> dict[str, str | int | float]:
    """Return what an answer says of itself; parameters are scalars, so the ids of many rows travel as a tensor."""
    said: dict[str, str | int | float] = {
        "variant": answered.choice.variant,
        "contract": answered.contract,
        "generation": answered.generation,
    }
    if len(answered.ids) == 1:
        said["prediction_id"] = answered.ids[0]
    return said


def outputs_of(answered: Answered, asked: Sequence[str]) -> list[dict[str, Any]]:
    """Return the outputs of these names, in their order; all where there are none.

    Raises:
        RefusedError: 422; there is no such output.
    """
    outputs = _outputs(answered)
    ids = _tensor("prediction_id", "BYTES", [len(answered.ids)], answered.ids)
    if not asked:
        return [*outputs, ids] if len(answered.ids) > 1 else outputs
    known = {output["name"]: output for output in (*outputs, ids)}
    wanted = dict.fromkeys(asked)
    if unknown := [name for name in wanted if name not in known]:
        raise refuse(422, f"there is no output {unknown[0][:60]!r}; outputs are {', '.join(known)}")
    return [known[name] for name in wanted]


def _outputs(answered: Answered) -> list[dict[str, Any]]:
    """Return the model's outputs; probabilities are row-major in the order of the classes."""
    schema, decided = answered.schema, answered.decided
    rows = len(answered.ids)
    if not schema.classes:
        return [_tensor("prediction", "FP64", [rows], decided.labels)]
    label = _tensor("label", "BYTES", [rows], decided.labels)
    if not decided.probabilities:
        return [label]
    flat = [min(max(value, 0.0), 1.0) for row in decided.probabilities for value in row]
    probability = _tensor("probability", "FP64", [rows, len(schema.classes)], flat)
    probability["parameters"] = {"classes": _encode(schema.classes).decode()}
    return [label, probability]


def _tensor(name: str, datatype: str, shape: list[int], data: Sequence[Any]) -> dict[str, Any]:
    """Return an output tensor."""
    return {"name": name, "datatype": datatype, "shape": shape, "data": data}
