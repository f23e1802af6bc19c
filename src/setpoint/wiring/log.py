"""Puts the prediction log and its readers together: what `setpoint log` calls."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import pyarrow as pa
import pyarrow.compute as pc

from setpoint.adapters.log.answer_chunk import HOUR_S
from setpoint.adapters.log.lines import COLUMNS, LogLines, lines_of
from setpoint.adapters.log.row_filter import Condition, Filter, read_filter
from setpoint.adapters.table_chunks import written_table
from setpoint.clock import Clock, SystemClock
from setpoint.errors import UsageError
from setpoint.wiring.log_place import (
    find_shadow_lines,
    find_shadows,
    open_lines,
    open_log,
    require_log,
)
from setpoint.wiring.offline import Offline

Variant = Literal["champion", "challenger", "shadow"]


@dataclass(frozen=True)
class LogWish:
    """Which answers a person asks for.

    Args:
        last_s: Those of the last so many seconds; None means all.
        version: Those of this version; None means any.
        variant: Those of this variant: `champion`, `challenger`, or what shadows answered; None means all that somebody
            was given.
        where: Conditions; see `setpoint.adapters.log.row_filter`.
        limit: The newest so many; 0 means all.
        clock: Tells what is last.
    """

    last_s: float | None = None
    version: int | None = None
    variant: Variant | None = None
    where: str = ""
    limit: int = 0
    clock: Clock = field(default_factory=SystemClock)

    @property
    def start(self) -> float:
        """The first instant."""
        return -math.inf if self.last_s is None else self.clock.wall() - self.last_s


@dataclass(frozen=True)
class Moved:
    """What `compact` moved into files.

    Args:
        hours: Hours of a model.
        files: Files.
        answers: Answers.
        size: Bytes of the files.
        where: Where the files lie.
    """

    hours: int
    files: int
    answers: int
    size: int
    where: str


def newest_lines(wish: LogWish, offline: Offline) -> pa.Table:
    """Return the newest answers, the oldest of them first.

    Raises:
        UsageError: There is no log yet, or a condition cannot be understood.
        JournalError: The log cannot be read.
    """
    lines, fits = _opened(wish, offline)
    try:
        found: list[pa.Table] = []
        count, start = 0, math.inf
        for hour in reversed(lines.hours(wish.start)):
            table = fits(lines.of_hour(hour, wish.start, version=wish.version))
            found.insert(0, table)
            count, start = count + table.num_rows, float(hour * HOUR_S)
            if wish.limit and count >= wish.limit:
                break
        schema = lines.schema(start)
    finally:
        lines.close()
    table = pa.concat_tables([schema.empty_table(), *lines_of(iter(found), schema)])
    return table.slice(max(0, table.num_rows - wish.limit)) if wish.limit else table


def follow_lines(wish: LogWish, offline: Offline, pause: Callable[[], bool]) -> Iterator[pa.Table]:
    """Yield answers as they come in; the newest that are there already first.

    Args:
        wish: Which ones; `limit` is of those that are there already, and 0 means none of them.
        offline: The project.
        pause: Waits a while and returns whether to go on.

    Raises:
        UsageError: There is no log yet, or a condition cannot be understood.
        JournalError: The log cannot be read.
    """
    lines, fits = _opened(wish, offline)
    try:
        seen = lines.end()
        shown = pa.array([], pa.string())
        if wish.limit:
            there = newest_lines(wish, offline)
            shown = there["id"]
            yield there
        while pause():
            if lines.end() > seen:
                table, seen = lines.after(seen, version=wish.version)
                is_new = pc.invert(pc.is_in(table["id"], value_set=shown))
                yield fits(table.filter(is_new))
    finally:
        lines.close()


def export_lines(wish: LogWish, out: Path, offline: Offline) -> int:
    """Write answers to a file in order of time, and return how many; memory holds one hour of them.

    Raises:
        UsageError: There is no log yet, a condition cannot be understood, or the file cannot be written.
        JournalError: The log cannot be read.
    """
    lines, fits = _opened(wish, offline)
    rows = 0
    try:
        schema = lines.schema(wish.start)
        tables = (
            fits(lines.of_hour(hour, wish.start, version=wish.version))
            for hour in lines.hours(wish.start)
        )
        with written_table(out) as writer:
            writer.write(schema.empty_table())
            for table in lines_of(tables, schema):
                writer.write(table)
                rows += table.num_rows
    finally:
        lines.close()
    return rows


def compact_log(offline: Offline, *, everything: bool, clock: Clock | None = None) -> Moved:
    """Move answers of hours that are over into Parquet files.

    Args:
        offline: The project.
        everything: Whether answers of hours that are not over are moved as well.
        clock: Tells which hours are over.

    Raises:
        UsageError: There is no log yet.
        JournalError: The log or a file cannot be read or written.
    """
    now, place = (clock or SystemClock()).wall(), require_log(offline.settings)
    with open_log(place) as log:
        done = log.compact(now, everything=everything)
        where = log.where
    shadows = find_shadows(place)
    if shadows is not None:
        with shadows:
            shadows.compact(now, everything=everything)
    return Moved(*done, where=where)


def _opened(wish: LogWish, offline: Offline) -> tuple[LogLines, Filter]:
    """Return the log and the conditions, which speak of columns that it has."""
    fits = read_filter(wish.where)
    place = require_log(offline.settings)
    if wish.variant == "shadow":
        found = find_shadow_lines(place)
        if found is None:
            raise UsageError("no shadow has answered anything yet")
        lines = found
    else:
        lines = open_lines(place)
        if wish.variant is not None:
            fits = Filter((Condition("variant", "=", (wish.variant,)), *fits.conditions))
    try:
        fits.require(COLUMNS, lines.inputs())
    except UsageError:
        lines.close()
        raise
    return lines, fits
