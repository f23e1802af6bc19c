"""Groups of answers as the log keeps them: packed by the writer in a few microseconds a row, unpacked by readers.

A chunk holds answers of one version under one deployment document, in the order in which they were given. What a look
at production needs of every answer (ids, decisions) is packed apart from the inputs, which few looks can afford. The
packing is MessagePack (https://msgpack.org): a list for each field.
"""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import msgspec
import numpy as np
import pyarrow as pa

from setpoint.facts.prediction import Answerer, Prediction

_encode = msgspec.msgpack.Encoder(enc_hook=str).encode  # a text of another library is its text
_decode = msgspec.msgpack.Decoder().decode
_decode_ids = msgspec.msgpack.Decoder(list[str]).decode

_NUMBERS = {int, float, type(None)}
_TRUTHS = {bool, type(None)}
_TEXTS = {str, type(None)}

FIELDS = (
    "at",
    "variant",
    "propensity",
    "key",
    "request",
    "prediction",
    "probability",
    "latency_s",
    "error",
)
"""What is packed of each answer beside its id and its inputs, in this order."""


class Chunk(NamedTuple):
    """A group of answers, packed.

    Args:
        by: Who answered.
        first_id: Smallest id.
        last_id: Largest id.
        first_at: Earliest instant.
        last_at: Latest instant.
        rows: Number of answers.
        drawn: Those of them whose version was drawn; the others named it themselves.
        errors: Drawn ones without an answer.
        ids: Packed ids.
        answers: Packed `FIELDS`.
        inputs: Packed rows of values, in the order of `by.columns`.
    """

    by: Answerer
    first_id: str
    last_id: str
    first_at: float
    last_at: float
    rows: int
    drawn: int
    errors: int
    ids: bytes
    answers: bytes
    inputs: bytes


def pack(predictions: Iterable[Prediction]) -> list[Chunk]:
    """Return answers as chunks, one for each answerer, in the order in which these appear."""
    groups: dict[int, list[Prediction]] = {}
    for prediction in predictions:
        groups.setdefault(id(prediction.by), []).append(prediction)
    return [_pack(group) for group in groups.values()]


def unpack_ids(ids: bytes) -> list[str]:
    """Return the ids of a chunk."""
    return _decode_ids(ids)


def unpack_answers(answers: bytes) -> dict[str, list[Any]]:
    """Return the fields of a chunk's answers, each a list."""
    return dict(zip(FIELDS, _decode(answers), strict=True))


def unpack_inputs(inputs: bytes, columns: Sequence[str]) -> dict[str, pa.Array]:
    """Return the inputs of a chunk by column: float64, bool or text, whichever holds them all."""
    rows = _decode(inputs)
    values = zip(*rows, strict=True) if columns else ()
    return {name: array_of(column) for name, column in zip(columns, values, strict=True)}


def array_of(values: Sequence[Any]) -> pa.Array:
    """Return values as float64, bool or text, whichever holds them all; of mixed kinds, text."""
    kinds = set(map(type, values))
    if kinds <= _NUMBERS:
        return pa.array(np.array(values, dtype=np.float64), from_pandas=True)
    if kinds <= _TRUTHS:
        return pa.array(values, pa.bool_())
    if not kinds <= _TEXTS:
        values = [None if value is None else as_class(value) for value in values]
    return pa.array(values, pa.string())


def as_class(value: str | float) -> str:
    """Return a class as text; one that was given as a number is the class of that name, 1 and 1.0 alike."""
    whole = isinstance(value, float) and value.is_integer()
    return str(int(value)) if whole else str(value)


def _pack(group: Sequence[Prediction]) -> Chunk:
    ids = [one.id for one in group]
    at = [one.at for one in group]
    drawn = [one for one in group if one.propensity > 0]
    return Chunk(
        by=group[0].by,
        first_id=min(ids),
        last_id=max(ids),
        first_at=min(at),
        last_at=max(at),
        rows=len(group),
        drawn=len(drawn),
        errors=sum(1 for one in drawn if one.error),
        ids=_encode(ids),
        answers=_encode(
            [
                at,
                [one.variant for one in group],
                [one.propensity for one in group],
                [one.key for one in group],
                [one.request for one in group],
                [one.prediction for one in group],
                [one.probability for one in group],
                [one.latency_s for one in group],
                [one.error for one in group],
            ]
        ),
        inputs=_pack_inputs([one.values for one in group]),
    )


def _pack_inputs(rows: list[tuple[Any, ...]]) -> bytes:
    """Return rows of values, packed; a whole number that takes more than 64 bits as the nearest float."""
    try:
        return _encode(rows)
    except OverflowError:
        return _encode([[_in_64_bits(value) for value in row] for row in rows])


def _in_64_bits(value: Any) -> Any:
    return float(value) if type(value) is int and not -(2**63) <= value < 2**64 else value
