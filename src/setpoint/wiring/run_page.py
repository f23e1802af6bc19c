"""Writes the page of one pass into the store."""

from pathlib import Path

import msgspec

from setpoint.contract.contract import Contract
from setpoint.control.queries import explain
from setpoint.control.world import World
from setpoint.errors import UsageError
from setpoint.facts.run import RunResult
from setpoint.reports.run_page import run_page


def write_run_page(world: World, contract: Contract, store: Path, result: RunResult) -> RunResult:
    """Write the page of a pass that had a candidate, and return the result with it; an earlier page is replaced.

    Raises:
        UsageError: The store takes no file.
        JournalError: The state cannot be read.
    """
    state, _ = world.journal.load()
    if state is None or not result.attempt:
        return result
    page = run_page(
        f"{result.model}: one pass",
        explain(world.journal, result.attempt),
        axis=contract.axis,
        result=world.jobs.finished(result.job),
        version=state.versions.get(str(result.version)),
    )
    path = store / "reports" / result.page_name
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(page, encoding="utf-8")
    except OSError as error:
        msg = f"the page {path} cannot be written: {error.strerror}; the pass itself is done"
        raise UsageError(msg) from error
    return msgspec.structs.replace(result, report=str(path))
