"""The log as people and their programs look at it: whole answers with their inputs and outcomes, hour by hour.

Columns: `id, at, version, generation, variant, propensity, key, request, prediction, probability, latency_s, error,
outcome, outcome_at`, and every input under its own name prefixed `feature.`.
"""

import math
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import pyarrow as pa

from setpoint.adapters.log.answer_chunk import HOUR_S, array_of, kind_of, kinds_of, unpack_answers
from setpoint.adapters.log.answer_file import kinds_in
from setpoint.adapters.log.hour_files import HourFile, HourFiles
from setpoint.adapters.log.reader import LogReader, outcomes_of
from setpoint.adapters.log.store import (
    LogStore,
    Stretch,
    end_of,
    files_of,
    inputs_of_answerers,
    parts_of,
)
from setpoint.adapters.log.table import ANSWER, FEATURE

LINE = tuple(name for name in ANSWER if name not in ("position", "answerer"))
"""Columns of an answer beside its outcome and its inputs."""

COLUMNS = (*LINE, "outcome", "outcome_at")
"""Columns of an answer beside its inputs."""

_HOURS = """
SELECT DISTINCT hour FROM (
    SELECT hour, last_at, first_at FROM fresh UNION ALL SELECT hour, last_at, first_at FROM files
) AS hours WHERE last_at >= :low AND first_at < :high ORDER BY hour
"""
_TEXT = "SELECT 1 FROM told WHERE text IS NOT NULL LIMIT 1"


class Snapshot(NamedTuple):
    """The whole log at one moment.

    Args:
        files: Parquet files.
        fresh: The answers that are in none, with all columns of `setpoint.adapters.log.table`.
        outcomes: Outcomes with `prediction`, `outcome`, `outcome_at`.
        inputs: Names of all inputs, in the order in which they appeared.
        file_system: What DuckDB reads the files by; None where they are files of this machine.
    """

    files: list[HourFile]
    fresh: pa.Table
    outcomes: pa.Table
    inputs: tuple[str, ...]
    file_system: Any = None


class LogLines:
    """Reads a log.

    Args:
        store: Its tables.
        files: The Parquet files; None where there are none.
        live: Tables of the prediction log where this one is of its shadows: there the outcomes are.
    """

    def __init__(
        self, store: LogStore, files: HourFiles | None, live: LogStore | None = None
    ) -> None:
        self._store = store
        self._files = files
        self._outcomes = live or store
        self._reader = LogReader(store, files, live)

    def hours(self, start: float = -math.inf, end: float = math.inf) -> list[int]:
        """Return the hours (since 1970-01-01 UTC) that have answers in [start, end), oldest first.

        Raises:
            JournalError: The log cannot be read.
        """
        with self._store.reading() as connection:
            found = connection.execute(_HOURS, {"low": start, "high": end})
            return [hour for (hour,) in found]

    def of_hour(
        self,
        hour: int,
        start: float = -math.inf,
        end: float = math.inf,
        *,
        version: int | None = None,
    ) -> pa.Table:
        """Return the answers of an hour that were given in [start, end), in order of time.

        Raises:
            JournalError: The log cannot be read.
        """
        low, high = max(start, float(hour * HOUR_S)), min(end, float((hour + 1) * HOUR_S))
        table = self._reader.read(Stretch("at", low, high, version), LINE, inputs=True)
        return self._reader.judged(table).sort_by([("at", "ascending"), ("id", "ascending")])

    def after(self, position: int, *, version: int | None = None) -> tuple[pa.Table, int]:
        """Return the answers that came in at a position or later, in that order, and the position after the last.

        Raises:
            JournalError: The log cannot be read.
        """
        with self._store.reading() as connection:
            end = end_of(connection)
        wanted = Stretch("position", position, end, version)
        table = self._reader.read(wanted, (*LINE, "position"), inputs=True).sort_by("position")
        return self._reader.judged(table.drop_columns("position")), end

    def end(self) -> int:
        """Return the position after the last answer.

        Raises:
            JournalError: The log cannot be read.
        """
        with self._store.reading() as connection:
            return end_of(connection)

    def inputs(self) -> tuple[str, ...]:
        """Return the names of all inputs that answers were ever logged with.

        Raises:
            JournalError: The log cannot be read.
        """
        with self._store.reading() as connection:
            named = inputs_of_answerers(connection)
        return tuple(dict.fromkeys(name for names in named.values() for name in names))

    def schema(self, start: float = -math.inf, end: float = math.inf) -> pa.Schema:
        """Return columns that hold all answers in [start, end), whatever kind each hour has of them; else text.

        Raises:
            JournalError: The log cannot be read.
        """
        stretch = Stretch("at", start, end)
        with self._store.reading() as connection:
            names = files_of(connection, stretch)
            parts = parts_of(connection, stretch, inputs=True)
        with self._outcomes.reading() as connection:
            has_text = connection.execute(_TEXT).fetchone() is not None
        kinds: dict[str, pa.DataType] = {}
        for name in names:
            _widen(kinds, kinds_in(self._reader.file(name)))
        for part in parts:
            of_part = kinds_of(part.inputs, part.by.columns)
            _widen(kinds, {FEATURE + name: kind for name, kind in of_part.items()})
            answers = unpack_answers(part.answers, ("prediction",))["prediction"]
            _widen(kinds, {"prediction": kind_of(answers)})
        outcome = pa.string() if has_text else pa.float64()
        return _schema(kinds, outcome)

    def snapshot(self) -> Snapshot:
        """Return the whole log: what lies in files by name, the rest as tables.

        Raises:
            JournalError: The log cannot be read.
        """
        everything = Stretch("at", -math.inf, math.inf)
        with self._store.reading() as connection:
            names = files_of(connection, everything)
            parts = parts_of(connection, everything, inputs=True)
        with self._outcomes.reading() as connection:
            told = connection.execute("SELECT prediction, text, number, at FROM told").fetchall()
        outcomes = outcomes_of(told)
        return Snapshot(
            [self._reader.file(name) for name in names],
            self._reader.fresh(parts),
            pa.table(
                {
                    "prediction": pa.array(outcomes.ids, pa.string()),
                    "outcome": array_of(outcomes.values),
                    "outcome_at": pa.array(outcomes.at, pa.float64()),
                }
            ),
            self.inputs(),
            None if self._files is None else self._files.file_system(),
        )

    def close(self) -> None:
        """Let go of the log."""
        self._store.close()
        if self._outcomes is not self._store:
            self._outcomes.close()


def as_schema(table: pa.Table, schema: pa.Schema) -> pa.Table:
    """Return answers with the columns of a schema: null where they have none, text where the schema has text."""
    columns = []
    for field in schema:
        column = table[field.name] if field.name in table.column_names else None
        if column is None or (column.type != field.type and column.null_count == len(column)):
            column = pa.nulls(table.num_rows, field.type)
        elif column.type != field.type:
            column = array_of([*column.to_pylist(), ""]).slice(0, table.num_rows)
        columns.append(column)
    return pa.Table.from_arrays(columns, schema=schema)


def lines_of(tables: Iterator[pa.Table], schema: pa.Schema) -> Iterator[pa.Table]:
    """Yield tables with the columns of a schema; those without a row are left out."""
    for table in tables:
        if table.num_rows:
            yield as_schema(table, schema)


def _widen(kinds: dict[str, pa.DataType], more: Mapping[str, pa.DataType]) -> None:
    """Let kinds hold further values: text where two differ."""
    for name, kind in more.items():
        known = kinds.setdefault(name, pa.null())
        if pa.types.is_null(known):
            kinds[name] = kind
        elif known != kind and not pa.types.is_null(kind):
            kinds[name] = pa.string()


def _schema(kinds: Mapping[str, pa.DataType], outcome: pa.DataType) -> pa.Schema:
    fields = {name: ANSWER[name] or kinds.get(name, pa.null()) for name in LINE}
    fields |= {"outcome": outcome, "outcome_at": pa.float64()}
    fields |= {name: kind for name, kind in kinds.items() if name.startswith(FEATURE)}
    return pa.schema(
        [(name, pa.float64() if pa.types.is_null(kind) else kind) for name, kind in fields.items()]
    )
