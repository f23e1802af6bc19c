"""Answers as tables: what readers of the prediction log are given, wherever the answers lie.

Columns beside the inputs are those of `ANSWER`; an input stands under its own name prefixed `feature.`, so that it may
be called like one of them.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from setpoint.adapters.log.answer_chunk import (
    FIELDS,
    array_of,
    unpack_answers,
    unpack_ids,
    unpack_inputs,
)
from setpoint.facts.prediction import Answerer

FEATURE = "feature."
"""What stands before the name of an input."""

ANSWER: Mapping[str, pa.DataType | None] = {
    "position": pa.int64(),
    "id": pa.string(),
    "at": pa.float64(),
    "answerer": pa.int64(),
    "version": pa.int64(),
    "generation": pa.int64(),
    "variant": pa.string(),
    "propensity": pa.float64(),
    "key": pa.string(),
    "request": pa.string(),
    "prediction": None,  # classes are text, numbers float64
    "probability": pa.float64(),
    "latency_s": pa.float64(),
    "error": pa.string(),
}
"""Columns of an answer beside its inputs, and their types."""

_OUTCOME, _OUTCOME_AT = "outcome", "outcome_at"


class Part(NamedTuple):
    """A chunk as it is read.

    Args:
        position: Position of its first answer in the log; the others follow one by one.
        answerer: Number of who answered.
        rows: Number of answers.
        by: Who answered.
        ids: Packed ids.
        answers: Packed fields.
        inputs: Packed inputs; empty where nobody asked for them.
    """

    position: int
    answerer: int
    rows: int
    by: Answerer
    ids: bytes
    answers: bytes
    inputs: bytes


class Outcomes(NamedTuple):
    """Outcomes of a range of predictions, n of them.

    Args:
        ids: Prediction ids.
        values: What turned out to be true of each.
        at: When that was received.
    """

    ids: Sequence[str] = ()
    values: Sequence[str | float] = ()
    at: Sequence[float] = ()


def tables_of(
    parts: Sequence[Part], columns: Collection[str], *, inputs: bool
) -> Iterator[pa.Table]:
    """Yield the answers of chunks in no order: the columns asked for, in the order of `ANSWER`, then the inputs.

    Each answerer has a table of its own: what is a number to one may be text to another.
    """
    alike: dict[int, list[Part]] = {}
    for part in parts:
        alike.setdefault(part.answerer, []).append(part)
    for some in alike.values():
        yield _unpacked(some, columns, inputs=inputs)


def stacked(tables: Sequence[pa.Table], columns: Collection[str]) -> pa.Table:
    """Return tables one below the other: null where one lacks an input, text where kinds of an input differ.

    Args:
        tables: Tables with the same columns of `ANSWER`, each with inputs of its own.
        columns: The columns of `ANSWER` that they have.
    """
    tables = [table for table in tables if table.num_rows]
    names = [name for name in ANSWER if name in columns]
    names += dict.fromkeys(
        name for table in tables for name in table.column_names if name.startswith(FEATURE)
    )
    return pa.table({name: _joined(tables, name, ANSWER.get(name)) for name in names})


def live_ids(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return the ids of the live answers to the rows that shadows answered; see `facts.prediction.live_id`."""
    return pc.list_element(pc.split_pattern(column, ".", max_splits=1), 0)


def with_outcomes(
    table: pa.Table, outcomes: Outcomes, about: pa.ChunkedArray | None = None
) -> pa.Table:
    """Return answers with `outcome` and `outcome_at` beside them, before the inputs; null where it is not known.

    Args:
        table: The answers.
        outcomes: What is known.
        about: Id that the outcome of each is told by; None where it is its own.
    """
    ids = pa.array(outcomes.ids, pa.string())
    about = table["id"] if about is None else about
    places = pc.index_in(about, value_set=ids).combine_chunks()
    used = places.drop_null().unique()
    known = [outcomes.values[place] for place in used.to_pylist()]
    values = array_of(known).take(pc.index_in(places, value_set=used))
    at = pa.array(outcomes.at, pa.float64()).take(places)
    before = next(
        (n for n, name in enumerate(table.column_names) if name.startswith(FEATURE)),
        table.num_columns,
    )
    return table.add_column(before, _OUTCOME, values).add_column(before + 1, _OUTCOME_AT, at)


def _unpacked(parts: Sequence[Part], columns: Collection[str], *, inputs: bool) -> pa.Table:
    """Return the answers of one answerer's chunks."""
    names = [name for name in ANSWER if name in columns]
    plain: dict[str, list[Any]] = {name: [] for name in names}
    wanted = frozenset(FIELDS).intersection(names)
    for part in parts:
        for name, field in unpack_answers(part.answers, wanted).items():
            plain[name].extend(field)
        if "id" in plain:
            plain["id"].extend(unpack_ids(part.ids))
        if "position" in plain:
            plain["position"].extend(range(part.position, part.position + part.rows))
        for name, value in (
            ("answerer", part.answerer),
            ("version", part.by.version),
            ("generation", part.by.generation),
        ):
            if name in plain:
                plain[name].extend([value] * part.rows)
    table = {name: _array(plain[name], ANSWER[name]) for name in names}
    if inputs:
        found = unpack_inputs([part.inputs for part in parts], parts[0].by.columns)
        table |= {FEATURE + name: column for name, column in found.items()}
    return pa.table(table)


def _array(values: Sequence[Any], kind: pa.DataType | None) -> pa.Array:
    return array_of(values) if kind is None else pa.array(values, kind)


def _joined(tables: Sequence[pa.Table], name: str, kind: pa.DataType | None) -> pa.ChunkedArray:
    """Return a column of several tables as one; of kind `kind`, or of the kind that all have that hold a value."""
    pieces = [table[name] if name in table.column_names else None for table in tables]
    if kind is None:
        kinds = {one.type for one in pieces if one is not None and one.null_count < len(one)}
        if len(kinds) > 1:
            values = [
                value
                for one, table in zip(pieces, tables, strict=True)
                for value in ([None] * table.num_rows if one is None else one.to_pylist())
            ]
            return pa.chunked_array([array_of(values)])
        kind = kinds.pop() if kinds else pa.float64()
    found: list[pa.Array] = []
    for one, table in zip(pieces, tables, strict=True):
        if one is None or one.type != kind:
            found.append(pa.nulls(table.num_rows, kind))
        else:
            found.extend(one.chunks)
    return pa.chunked_array(found, type=kind)
