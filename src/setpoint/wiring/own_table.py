"""Replays a contract that is drafted from the first rows of somebody's own table."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from setpoint.adapters.file_source import FileSource
from setpoint.contract.parse import from_plain
from setpoint.data.conform import conform, ticks
from setpoint.data.draft import Wish
from setpoint.data.infer import infer
from setpoint.facts.evidence import Floats
from setpoint.facts.replay import Replay
from setpoint.wiring.project import ProjectPlan, make_project
from setpoint.wiring.replay import ReplayWish, run_replay, start_row


@dataclass(frozen=True)
class OwnTable:
    """A table to replay.

    Args:
        folder: Folder of the new project.
        table: The table's file.
        target: Column to predict.
        time: Column of the time; the order of the rows is their time unless given.
        start: First row that is answered: row number or date; a default unless given.
        label_delay: When labels are known; at once unless given.
        batch: Rows or time between two looks; a default unless given.
        progress: Told rows answered, rows in all, and what was decided.
    """

    folder: Path
    table: Path
    target: str
    time: str | None = None
    start: str | None = None
    label_delay: str | None = None
    batch: str | None = None
    progress: Callable[[int, int, str], None] = lambda *_: None


def replay_own(own: OwnTable) -> Replay:
    """Draft a contract from the rows before the start alone, and replay it over the others.

    Raises:
        DataError: The table cannot be read, or no contract can be drafted from it.
        UsageError: The project's folder has files already, or the start is no row of the table.
    """
    own.folder.mkdir(parents=True, exist_ok=True)
    ordered, at = _in_order(own)
    start = start_row(own.start, at, "rows" if own.time is None else "time")
    history = own.folder / "history.parquet"
    pq.write_table(ordered, history)
    project = make_project(
        ProjectPlan(
            folder=own.folder / "project",
            table=history,
            target=own.target,
            time=own.time,
            rows=start,
            name=own.table.name.partition(".")[0],
            force=True,
        )
    )
    return run_replay(
        ReplayWish(
            contract=project.contract,
            data=str(history),
            folder=project.folder,
            store=own.folder / ".setpoint",
            start=str(start),
            label_delay=own.label_delay,
            batch=own.batch,
            progress=own.progress,
        )
    )


def _in_order(own: OwnTable) -> tuple[pa.Table, Floats]:
    """Return the rows as the file has them, in order of their time, and the tick of each."""
    source = FileSource(str(own.table), folder=Path.cwd())
    raw, _ = source.read()
    if own.time is None:
        return raw, np.arange(raw.num_rows, dtype=np.float64)
    wish = Wish(name="own", source=str(own.table), target=own.target, time=own.time)
    drafted = infer(raw, wish, form=source.text_form())
    typed = conform(raw, from_plain(drafted.contract))
    at = ticks(typed.table, from_plain(drafted.contract))
    order = np.argsort(at, kind="stable")
    return raw.take(pa.array(order)), at[order]
