"""The quick look before a pass: whether anything changed. Reads state and digests, and loads nothing heavy."""

from pathlib import Path

import msgspec

from setpoint.adapters.file_source import FileSource
from setpoint.adapters.package_lock import installed_packages, lock_digest
from setpoint.adapters.sql_journal import SqlJournal
from setpoint.clock import SystemClock
from setpoint.contract.contract import Contract
from setpoint.control.last_run import run_key, unchanged
from setpoint.facts.run import RunResult
from setpoint.settings import Settings


def quick_run(
    contract: Contract, project: Path, settings: Settings, accept: tuple[str, ...]
) -> RunResult | None:
    """Return the last pass's result where this one would come to the same; else None.

    Raises:
        SourceError: The source is not there.
        JournalError: The state cannot be read.
    """
    clock = SystemClock()
    begun = clock.stopwatch()
    if not settings.database_url and not (settings.store / "state.db").exists():
        return None
    state, _ = SqlJournal(settings.database, contract.model.name).load()
    if state is None or not set(accept) <= set(state.accepted):
        return None
    section = contract.require_data()
    source = FileSource(section.source, folder=project, form=section.format)
    key = run_key(
        contract=contract.digest,
        source=source.fingerprint(),
        lock=lock_digest(installed_packages()),
        accepted=state.accepted,
    )
    found = unchanged(state, key)
    if found is None:
        return None
    page = settings.store / "reports" / found.page_name
    return msgspec.structs.replace(
        found,
        report=str(page) if page.is_file() else "",
        seconds=clock.stopwatch() - begun,
    )
