"""Chunks of answers as tables: what readers of the prediction log are given."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import pyarrow as pa

from setpoint.adapters.answer_chunk import array_of, unpack_answers, unpack_ids, unpack_inputs
from setpoint.facts.prediction import Answerer

Outcomes = Mapping[str, tuple[str | float, float]]
"""Value and instant of known outcomes, by prediction id."""

UNKNOWN = (None, None)
"""What stands where an outcome is not known."""

_FEATURE = "feature."


def _texts(values: Sequence[Any]) -> pa.Array:
    return pa.array(values, pa.string())


def _numbers(values: Sequence[Any]) -> pa.Array:
    return pa.array(values, pa.float64())


def _whole(values: Sequence[Any]) -> pa.Array:
    return pa.array(values, pa.int64())


_PLAIN: dict[str, Callable[[Sequence[Any]], pa.Array]] = {
    "id": _texts,
    "at": _numbers,
    "version": _whole,
    "generation": _whole,
    "variant": _texts,
    "prediction": array_of,
    "probability": _numbers,
    "latency_s": _numbers,
    "error": _texts,
    "outcome": array_of,
    "outcome_at": _numbers,
}
"""Columns of a window and how they are made of plain values."""


class Part(NamedTuple):
    """A chunk as it is read.

    Args:
        first_id: Smallest id.
        last_id: Largest id.
        rows: Number of answers.
        by: Who answered.
        ids: Packed ids.
        answers: Packed fields.
        inputs: Packed inputs; empty where nobody asked for them.
    """

    first_id: str
    last_id: str
    rows: int
    by: Answerer
    ids: bytes
    answers: bytes
    inputs: bytes


def told(part: Part) -> Iterator[tuple[float, str, Any, Any, str]]:
    """Return instant, id, answer, probability and error of each answer of a chunk."""
    fields = unpack_answers(part.answers)
    return zip(
        fields["at"],
        unpack_ids(part.ids),
        fields["prediction"],
        fields["probability"],
        fields["error"],
        strict=True,
    )


def table_of(parts: Sequence[Part], outcomes: Outcomes) -> pa.Table:
    """Return the answers of chunks with their outcomes, in the order of the chunks."""
    plain: dict[str, list[Any]] = {name: [] for name in _PLAIN}
    inputs: list[dict[str, pa.Array]] = []
    for part in parts:
        fields = unpack_answers(part.answers)
        ids = unpack_ids(part.ids)
        known = [outcomes.get(identity, UNKNOWN) for identity in ids]
        told = fields | {
            "id": ids,
            "version": [part.by.version] * part.rows,
            "generation": [part.by.generation] * part.rows,
            "outcome": [value for value, _ in known],
            "outcome_at": [at for _, at in known],
        }
        for name, values in plain.items():
            values.extend(told[name])
        inputs.append(unpack_inputs(part.inputs, part.by.columns))
    table = {name: _PLAIN[name](values) for name, values in plain.items()}
    counts = [part.rows for part in parts]
    for name in dict.fromkeys(name for one in inputs for name in one):
        pieces = [one.get(name) for one in inputs]
        table[_FEATURE + name] = _joined(pieces, counts)
    return pa.table(table)


def _joined(pieces: Sequence[pa.Array | None], counts: Sequence[int]) -> pa.ChunkedArray:
    """Return a column of several chunks; null where a chunk lacks it, text where its kinds differ."""
    kinds = {piece.type for piece in pieces if piece is not None and piece.null_count < len(piece)}
    if len(kinds) > 1:
        values = [
            value
            for piece, count in zip(pieces, counts, strict=True)
            for value in ([None] * count if piece is None else piece.to_pylist())
        ]
        return pa.chunked_array([array_of(values)])
    kind = kinds.pop() if kinds else pa.float64()
    return pa.chunked_array(
        [
            pa.nulls(count, kind) if piece is None or piece.type != kind else piece
            for piece, count in zip(pieces, counts, strict=True)
        ],
        type=kind,
    )
