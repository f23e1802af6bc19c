"""Builds a replay: the loop with everything in memory but its fits, which lie in a folder of their own.

Fits are kept by what they are made from until the replay is done, so that one that was killed goes on where it was:
the same decisions are taken again, and no fit is done twice.
"""

import contextlib
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from setpoint.adapters.arrow_tables import ArrowTables
from setpoint.adapters.bundle_scorer import BundleScorer
from setpoint.adapters.bundle_store import BundleStore
from setpoint.adapters.file_source import FileSource
from setpoint.adapters.memory_deployments import MemoryDeployments
from setpoint.adapters.memory_journal import MemoryJournal
from setpoint.adapters.memory_registry import MemoryRegistry
from setpoint.adapters.process_jobs import ProcessJobs
from setpoint.clock import Axis, ManualClock
from setpoint.contract.contract import Contract
from setpoint.contract.parse import from_plain
from setpoint.contract.spans import Span
from setpoint.control.rows import LabelledRows
from setpoint.control.world import World
from setpoint.data.conform import conform, require_columns, sort_by_time, ticks
from setpoint.digest import sha256_json, short
from setpoint.errors import EmptyTableError, UsageError
from setpoint.facts.evidence import Floats
from setpoint.facts.replay import Replay
from setpoint.facts.snapshot import Origin
from setpoint.facts.version import Lineage
from setpoint.worlds.batches import default_batch, default_start
from setpoint.worlds.course import ReplayPlan
from setpoint.worlds.history import History, truth_of
from setpoint.worlds.replay import Stage, replay


@dataclass(frozen=True)
class ReplayWish:
    """What a person asks a replay for.

    Args:
        contract: The contract.
        data: The table's file; the contract's own source unless given.
        folder: Folder that a relative path starts from, and where the project's modules are.
        store: Folder for fits until the replay is done.
        start: First row that is answered: a row number, or a date; a default unless given.
        label_delay: In place of the contract's.
        batch: Rows or time between two passes; a default unless given.
        seed: In place of the contract's.
        accept: Checks that a person accepts from the beginning.
        threads: Threads that a large fit may take.
        progress: Told the rows answered, the rows in all, and what was decided.
    """

    contract: Contract
    data: str | None
    folder: Path
    store: Path
    start: str | None = None
    label_delay: str | None = None
    batch: str | None = None
    seed: int | None = None
    accept: tuple[str, ...] = ()
    threads: int = 2
    progress: Callable[[int, int, str], None] = lambda *_: None


def run_replay(wish: ReplayWish) -> Replay:
    """Replay a contract over a table.

    Raises:
        ContractError: The contract cannot be replayed.
        DataError: The table cannot be read.
        UsageError: The wish contradicts itself.
        TrainingError: The first model cannot be fitted.
    """
    contract = _adjusted(wish)
    scratch = wish.store / "replay" / short(sha256_json(_names(wish, contract)))
    tables = ArrowTables(scratch)
    with ProcessJobs(scratch, tables, wish.folder, wish.threads) as jobs:
        jobs.warm()
        rows = history_rows(contract, wish.data, wish.folder, tables)
        start = start_row(wish.start, rows.at, contract.axis)
        batch = _span(wish.batch, "--batch", contract) or default_batch(
            rows.at[:start], contract.axis
        )
        plan = ReplayPlan(
            rows=rows,
            truth=truth_of(rows),
            start=start,
            batch=batch,
            accept=wish.accept,
            progress=wish.progress,
        )
        clock = ManualClock(min(0.0, float(rows.at[0])))
        scorer = BundleScorer(scratch, wish.folder)
        world = World(
            clock=clock,
            journal=MemoryJournal(contract.model.name),
            registry=MemoryRegistry(),
            jobs=jobs,
            tables=tables,
            bundles=BundleStore(scratch),
            deployments=MemoryDeployments(),
            traffic=History(rows, plan.truth, scorer),
            scorer=scorer,
            rows=lambda: rows,
            lineage=lambda: Lineage(snapshot="", contract=""),
            wall_clock=False,
        )
        found = replay(plan, Stage(world, clock))
    _forget(scratch)
    return found


def _forget(scratch: Path) -> None:
    """Remove the fits of a replay that is done: all at once, and what an earlier one was killed while removing."""
    # the same replay, run twice at once, may have forgotten them already
    with contextlib.suppress(FileNotFoundError):
        scratch.rename(scratch.with_name(f".done-{scratch.name}-{os.getpid()}"))
    for done in scratch.parent.glob(".done-*"):
        shutil.rmtree(done, ignore_errors=True)


def history_rows(
    contract: Contract, data: str | None, folder: Path, tables: ArrowTables
) -> LabelledRows:
    """Read a table as a history whose labels become known as time passes.

    Raises:
        DataError: The table cannot be read, or is empty.
    """
    section = contract.require_data()
    source = FileSource(data or section.source, folder=folder, form=section.format)
    raw, origin = source.read()
    conformed = conform(raw, contract)
    needed = [name for name in (section.target, section.time) if name]
    require_columns(conformed, raw, needed, origin.source)
    conformed = sort_by_time(conformed, contract)
    at = ticks(conformed.table, contract)
    if not np.isfinite(at).all():
        count = int((~np.isfinite(at)).sum())
        msg = f"{count:,} rows of {origin.source} have no readable {section.time}; a replay needs each row's time"
        raise EmptyTableError(msg)
    return LabelledRows(
        conformed=conformed,
        contract=contract,
        table=tables.put(conformed.table),
        origin=Origin(source=origin.source, files=origin.files, details=origin.details),
        at=at,
        ordered=True,
        unfolding=True,
    )


def _adjusted(wish: ReplayWish) -> Contract:
    """Return the contract with the label delay and the seed that the person asked for."""
    plain = wish.contract.plain
    if wish.label_delay is not None:
        delay = _span(wish.label_delay, "--label-delay", wish.contract)
        plain.setdefault("monitor", {}).setdefault("performance", {})["label_delay"] = str(delay)
    if wish.seed is not None:
        plain.setdefault("train", {})["seed"] = wish.seed
    return from_plain(plain)


def _span(text: str | None, flag: str, contract: Contract) -> Span | None:
    """Read `250`, `250 rows`, `7d`; a bare number is rows, but on the time axis 0 is no time at all."""
    if text is None:
        return None
    bare = text.strip()
    if bare.isdigit():
        bare = f"{bare} rows" if contract.axis == "rows" or flag == "--batch" else f"{bare}s"
    try:
        span = Span.read(bare)
    except ValueError as error:
        msg = f"{flag} {text}: {error}; write rows (500) or time (7d)"
        raise UsageError(msg) from error
    if span.unit == "seconds" and contract.axis == "rows":
        if span.value == 0:
            return Span(0.0, "rows")
        msg = f"{flag} {text}: the contract has no data.time; write a number of rows, such as 500"
        raise UsageError(msg)
    return span


def start_row(text: str | None, at: Floats, axis: Axis) -> int:
    """Return the first row that is answered: a row number as it is, a date as the first row from then on.

    Args:
        text: What a person wrote; a default where nothing.
        at: Tick of each row, ascending.
        axis: `time` or `rows`.

    Raises:
        UsageError: It is neither a row number nor a date, or a date without a time axis.
    """
    if text is None:
        return default_start(len(at))
    if text.strip().isdigit():
        return int(text)
    if axis == "rows":
        msg = f"--start {text}: there is no column of the time; write a row number"
        raise UsageError(msg)
    try:
        moment = np.datetime64(text.strip(), "s").astype("int64")
    except ValueError as error:
        msg = f"--start {text}: neither a row number nor a date such as 2018-03-01"
        raise UsageError(msg) from error
    return int(np.searchsorted(at, float(moment), side="left"))


def _names(wish: ReplayWish, contract: Contract) -> dict[str, object]:
    """Return what tells one replay from another, so that a killed one finds its own fits."""
    return {
        "contract": contract.digest,
        "data": wish.data,
        "start": wish.start,
        "batch": wish.batch,
    }
