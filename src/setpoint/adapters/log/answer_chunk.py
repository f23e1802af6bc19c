"""Groups of answers as the log keeps them: packed by the writer in a few microseconds a row, unpacked by readers.

A chunk holds answers of one version under one deployment document and within one hour, in the order in which they were
given. What a look at production needs of every answer (ids, decisions) is packed apart from the inputs, which few looks
can afford. The packing is MessagePack (https://msgpack.org): a list for each field.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import groupby
from typing import Any, NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from setpoint.facts.prediction import Answerer, Prediction

_encode = msgspec.msgpack.Encoder(enc_hook=str).encode  # a text of another library is its text
_decode = msgspec.msgpack.Decoder().decode
_decode_ids = msgspec.msgpack.Decoder(list[str]).decode
_decode_apart = msgspec.msgpack.Decoder(list[msgspec.Raw]).decode

HOUR_S = 3600
_FLOAT = 0xCB  # what MessagePack writes before the 8 bytes of a float
_FLOAT_BYTES = 9
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
        hour: Whole hours since 1970-01-01 UTC, at all of its instants.
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
    hour: int
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

    @property
    def size(self) -> int:
        """Bytes of what is packed."""
        return len(self.ids) + len(self.answers) + len(self.inputs)


def pack(predictions: Iterable[Prediction]) -> list[Chunk]:
    """Return answers as chunks, one answerer after the other; each begins anew where the hour changes."""
    groups: dict[int, list[Prediction]] = {}
    for prediction in predictions:
        groups.setdefault(id(prediction.by), []).append(prediction)
    return [_pack(run) for group in groups.values() for run in _runs(group)]


def select(chunk: Chunk, places: Sequence[int]) -> Chunk:
    """Return a chunk of some answers of another.

    Args:
        chunk: The other.
        places: Where they stand in it, one at least.
    """
    ids, rows = unpack_ids(chunk.ids), _decode(chunk.inputs)
    fields = unpack_answers(chunk.answers)
    kept = {name: [values[place] for place in places] for name, values in fields.items()}
    names = [ids[place] for place in places]
    failed = [bool(error) for error in kept["error"]]
    drawn = [propensity > 0 for propensity in kept["propensity"]]
    return chunk._replace(
        first_id=min(names),
        last_id=max(names),
        first_at=min(kept["at"]),
        last_at=max(kept["at"]),
        rows=len(names),
        drawn=sum(drawn),
        errors=sum(one and other for one, other in zip(drawn, failed, strict=True)),
        ids=_encode(names),
        answers=_encode([kept[name] for name in FIELDS]),
        inputs=_encode([rows[place] for place in places]),
    )


def hour_of(at: float) -> int:
    """Return whole hours from 1970-01-01 UTC to an instant."""
    return int(at // HOUR_S)


def unpack_ids(ids: bytes) -> list[str]:
    """Return the ids of a chunk."""
    return _decode_ids(ids)


def unpack_answers(answers: bytes, names: Collection[str] = FIELDS) -> dict[str, list[Any]]:
    """Return fields of a chunk's answers, each a list; only those that are asked for are unpacked."""
    packed = zip(FIELDS, _decode_apart(answers), strict=True)
    return {name: _decode(field) for name, field in packed if name in names}


def unpack_inputs(packed: Sequence[bytes], columns: Sequence[str]) -> dict[str, pa.Array]:
    """Return the inputs of chunks that have the same columns, by column: float64, bool or text, as `array_of` says.

    Args:
        packed: Inputs of each chunk.
        columns: Names of their columns.
    """
    if not columns:
        return {}
    blocks = [_floats(inputs, len(columns)) for inputs in packed]
    if all(block is not None for block in blocks):
        table = np.concatenate([block for block in blocks if block is not None])
        numbers = table.T.astype(np.float64, order="C")
        return {
            name: pa.array(column, from_pandas=True)
            for name, column in zip(columns, numbers, strict=True)
        }
    values: list[list[Any]] = [[] for _ in columns]
    for (
        inputs
    ) in packed:  # one by one, so that few rows are alive at a time: the collector looks at each
        for column, more in zip(values, zip(*_decode(inputs), strict=True), strict=True):
            column.extend(more)
    return {name: array_of(column) for name, column in zip(columns, values, strict=True)}


def kinds_of(inputs: bytes, columns: Sequence[str]) -> dict[str, pa.DataType]:
    """Return what `unpack_inputs` would make of each column of one chunk; null where it has no value at all."""
    if not columns or _floats(inputs, len(columns)) is not None:
        return dict.fromkeys(columns, pa.float64())
    return {
        name: kind_of(values)
        for name, values in zip(columns, zip(*_decode(inputs), strict=True), strict=True)
    }


def kind_of(values: Iterable[Any]) -> pa.DataType:
    """Return the one of float64, bool and text that holds all values; null where there is none."""
    kinds = set(map(type, values))
    if kinds <= {type(None)}:
        return pa.null()
    if kinds <= _NUMBERS:
        return pa.float64()
    return pa.bool_() if kinds <= _TRUTHS else pa.string()


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


def _floats(inputs: bytes, width: int) -> npt.NDArray[Any] | None:
    """Return inputs that are floats throughout, big-endian, shape (rows, width); None where they are anything else.

    Such rows are of one length each, so that they need no unpacking: of 120,000 rows of 30 columns in a fortieth of the
    time.
    """
    rows, start = _list_head(inputs, 0)
    length, first = _list_head(inputs, start)
    size = first - start + _FLOAT_BYTES * width
    if length != width or not rows or len(inputs) != start + rows * size:
        return None
    lines = np.frombuffer(inputs, np.uint8, offset=start).reshape(rows, size)
    head = lines[:, : first - start]
    cells = lines[:, first - start :].reshape(rows, width, _FLOAT_BYTES)
    if (head != head[0]).any() or (cells[:, :, 0] != _FLOAT).any():
        return None
    numbers: npt.NDArray[Any] = np.ascontiguousarray(cells[:, :, 1:]).view(">f8")[..., 0]
    return numbers


def _list_head(packed: bytes, at: int) -> tuple[int, int]:
    """Return the length of the list that begins at a place, and the place of its first item; (-1, 0) if none does."""
    kind = packed[at] if at < len(packed) else 0
    if kind & 0xF0 == 0x90:  # noqa: PLR2004 (up to 15 items)
        return kind & 0x0F, at + 1
    if kind in (0xDC, 0xDD):
        end = at + (3 if kind == 0xDC else 5)  # noqa: PLR2004 (16 bits of length, or 32)
        return int.from_bytes(packed[at + 1 : end], "big"), end
    return -1, 0


def _runs(group: list[Prediction]) -> Iterator[list[Prediction]]:
    """Cut a group wherever the hour changes from one answer to the next: hardly ever."""
    at = [one.at for one in group]
    if hour_of(min(at)) == hour_of(max(at)):
        yield group
        return
    for _, run in groupby(group, key=lambda one: hour_of(one.at)):
        yield list(run)


def _pack(group: Sequence[Prediction]) -> Chunk:
    ids = [one.id for one in group]
    at = [one.at for one in group]
    drawn = [one for one in group if one.propensity > 0]
    return Chunk(
        by=group[0].by,
        hour=hour_of(at[0]),
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
