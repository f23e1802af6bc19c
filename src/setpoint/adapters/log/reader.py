"""Reads answers wherever they lie: in files of hours that are over, and in fresh chunks."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from setpoint.adapters.log.answer_file import inside, read_answers
from setpoint.adapters.log.hour_files import HourFile, HourFiles
from setpoint.adapters.log.store import (
    LogStore,
    Statements,
    Stretch,
    files_of,
    inputs_of_answerers,
    parts_of,
)
from setpoint.adapters.log.table import (
    ANSWER,
    FEATURE,
    Outcomes,
    Part,
    live_ids,
    stacked,
    tables_of,
    with_outcomes,
)
from setpoint.errors import JournalError

_OUTCOMES = """
SELECT prediction, text, number, at FROM told WHERE prediction BETWEEN :low AND :high
"""
_LISTED = "SELECT 1 FROM files WHERE name = :name"


class Lying(NamedTuple):
    """Where answers lie.

    Args:
        files: Names of files.
        parts: Fresh chunks.
        inputs: Which inputs each answerer of files was given, by its number; empty where nobody asked for inputs.
    """

    files: list[str]
    parts: list[Part]
    inputs: dict[int, tuple[str, ...]]


def located(connection: Statements, stretch: Stretch, *, inputs: bool) -> Lying:
    """Return where the answers of a stretch lie."""
    files, parts = files_of(connection, stretch), parts_of(connection, stretch, inputs=inputs)
    return Lying(files, parts, inputs_of_answerers(connection) if inputs and files else {})


class LogReader:
    """Reads answers as tables with the columns of `setpoint.adapters.log.table`.

    Args:
        store: The log's tables.
        files: The Parquet files; None where there are none.
        live: Tables of the prediction log where this one is of its shadows: there the outcomes are.
    """

    def __init__(
        self, store: LogStore, files: HourFiles | None, live: LogStore | None = None
    ) -> None:
        self._store = store
        self._files = files
        self._live = live

    def file(self, name: str) -> HourFile:
        """Return a file that the tables list.

        Raises:
            JournalError: Nobody said where files lie.
        """
        if self._files is None:
            msg = (
                f"the prediction log {self._store.name} lists files of past hours, such as {name}: "
                "say where they lie, by SETPOINT_LOG_FILES"
            )
            raise JournalError(msg)
        return self._files.file(name)

    def read(self, stretch: Stretch, columns: Collection[str], *, inputs: bool) -> pa.Table:
        """Return the answers of a stretch in no order: the columns asked for, then the inputs where they are wanted.

        Raises:
            JournalError: The log cannot be read.
        """
        return stacked(list(self.pieces(stretch, columns, inputs=inputs)), columns)

    def pieces(
        self, stretch: Stretch, columns: Collection[str], *, inputs: bool
    ) -> Iterator[pa.Table]:
        """Yield the answers of a stretch in no order: those of each file, then the fresh ones; with further columns.

        Raises:
            JournalError: The log cannot be read.
        """
        with self._store.reading() as connection:
            lying = located(connection, stretch, inputs=inputs)
        yield from self.tables(lying, stretch, columns, inputs=inputs)

    def tables(
        self, lying: Lying, stretch: Stretch, columns: Collection[str], *, inputs: bool
    ) -> Iterator[pa.Table]:
        """Yield the answers of a stretch that lie in some files and chunks; see `pieces`."""
        wanted = {*columns, stretch.axis, "answerer", "version"}
        for name in lying.files:
            table = self._read_file(name, wanted, stretch, inputs=inputs)
            yield _with_own_inputs(table, lying.inputs) if inputs else table
        for table in tables_of(lying.parts, wanted, inputs=inputs):
            yield inside(table, stretch)

    def _read_file(
        self, name: str, columns: Collection[str], stretch: Stretch, *, inputs: bool
    ) -> pa.Table:
        """Return the answers of a file that lie in a stretch.

        Raises:
            JournalError: It cannot be read, or has been removed since it was found in the list.
        """
        try:
            return read_answers(self.file(name), columns, stretch, inputs=inputs)
        except JournalError as error:
            with self._store.reading() as connection:
                listed = connection.execute(_LISTED, {"name": name}).fetchone()
            if listed is not None:
                raise
            msg = f"answers of the prediction log {self._store.name} were removed meanwhile; ask again"
            raise JournalError(msg) from error

    def fresh(self, parts: Sequence[Part]) -> pa.Table:
        """Return the answers of chunks with all that is known of them."""
        return stacked(list(tables_of(parts, ANSWER, inputs=True)), ANSWER)

    def judged(self, table: pa.Table) -> pa.Table:
        """Return answers with the outcomes that are known of them.

        Raises:
            JournalError: The log cannot be read.
        """
        if not table.num_rows:
            return with_outcomes(table, Outcomes())
        about = table["id"] if self._live is None else live_ids(table["id"])
        low, high = pc.min_max(about).as_py().values()
        with (self._live or self._store).reading() as connection:
            found = connection.execute(_OUTCOMES, {"low": low, "high": high}).fetchall()
        return with_outcomes(table, outcomes_of(found), about)


def outcomes_of(lines: Sequence[tuple[str, str | None, float | None, float]]) -> Outcomes:
    """Return outcomes as the view `told` has them: prediction, text, number, instant."""
    if not lines:
        return Outcomes()
    ids, texts, numbers, at = zip(*lines, strict=True)
    values = [number if text is None else text for text, number in zip(texts, numbers, strict=True)]
    return Outcomes(ids, values, at)


def _with_own_inputs(table: pa.Table, inputs: Mapping[int, tuple[str, ...]]) -> pa.Table:
    """Return answers without the inputs that others of the same hour had, and they had not."""
    own = {FEATURE + n for one in table["answerer"].unique().to_pylist() for n in inputs[one]}
    return table.select([n for n in table.column_names if not n.startswith(FEATURE) or n in own])
