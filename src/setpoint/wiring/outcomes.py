"""Puts a file of outcomes and the prediction log together: what `setpoint outcomes` calls."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa

from setpoint.adapters.file_source import FileSource
from setpoint.adapters.log.chunk_log import ChunkLog
from setpoint.clock import Clock, SystemClock
from setpoint.control.queries import require_state
from setpoint.control.recording import ID, outcomes_of_ids, outcomes_of_keys, told_outcomes
from setpoint.errors import DataError, UnknownPredictionError, UsageError
from setpoint.facts.log_rule import HASH, KEEP, change_of
from setpoint.wiring.log_place import open_log, place_of, secret_of
from setpoint.wiring.offline import Offline

_OUTCOME = "outcome"
_KEY = "key"  # as POST /outcomes names it


@dataclass(frozen=True)
class OutcomeWish:
    """What a person asks for.

    Args:
        file: File of the outcomes.
        column: Column of the outcomes; `outcome` or the contract's target unless given.
        latest: Whether the newest prediction of a key is meant where there are several.
        clock: Stamps the outcomes.
    """

    file: Path
    column: str | None = None
    latest: bool = False
    clock: Clock = field(default_factory=SystemClock)


@dataclass(frozen=True)
class Recorded:
    """What came of it.

    Args:
        rows: Rows of the file.
        recorded: Outcomes that are new.
        known: Outcomes that were known already.
        missing: Rows that have no outcome yet.
    """

    rows: int
    recorded: int
    known: int
    missing: int


def record_file(wish: OutcomeWish, offline: Offline) -> Recorded:
    """Record the outcomes of a file, all or none; the same again changes nothing.

    Raises:
        UsageError: The file names neither predictions nor keys, has no outcomes, or a key has several predictions.
        DataError: The file cannot be read, names what the log does not hold, or contradicts what is known.
        JournalError: The log cannot be read or written.
    """
    data = offline.contract.require_data()
    state = require_state(offline.journal)
    champion = state.versions.get(str(state.champion))
    is_number = offline.contract.require_task() == "regression"
    classes = () if champion is None or is_number else tuple(champion.label_shares)
    if not is_number and not classes:
        msg = (
            "there is no champion yet, so that its classes are not known; begin with: setpoint run"
        )
        raise UsageError(msg)
    table, _ = FileSource(wish.file.name, folder=wish.file.parent, form=data.format).read()
    if data.key:
        wanted = f"a column {ID}, or the contract's key in a column {data.key} or {_KEY}"
        name = _first_of(table, (ID, data.key, _KEY), wanted)
    else:
        name = _first_of(table, (ID,), f"a column {ID}; the contract names no key (data.key)")
    outcome = _first_of(
        table,
        (wish.column,) if wish.column else (_OUTCOME, data.target),
        f"the outcome in a column {wish.column or f'{_OUTCOME} or {data.target}'}",
    )
    told = told_outcomes(table, name=name, outcome=outcome, classes=classes, form=data.format)
    at = wish.clock.wall()
    log = open_log(place_of(offline.settings))
    try:
        if name == ID:
            outcomes = outcomes_of_ids(told, at=at)
        else:
            ids = _ids_of(told.names, log, offline)
            outcomes = outcomes_of_keys(told, ids, latest=wish.latest, at=at)
        new = log.record(outcomes)
    except UnknownPredictionError as error:
        some = ", ".join(error.predictions[:3])
        count = f"{len(error.predictions):,} of the predictions"
        msg = f"the log does not hold {count}, such as {some}; nothing was recorded"
        raise DataError(msg) from error
    finally:
        log.close()
    return Recorded(table.num_rows, new, len(outcomes) - new, told.missing)


def _ids_of(keys: Sequence[str], log: ChunkLog, offline: Offline) -> dict[str, list[str]]:
    """Return the ids of the answers about each key, oldest first; keys that the log has hashed are hashed alike.

    Raises:
        UsageError: The log has answers, but by the contract not their keys.
    """
    ids = log.of_keys(keys)
    data = offline.contract.require_data()
    rule = data.withheld.get(data.key or "", KEEP)
    if rule == HASH:
        secret = secret_of(place_of(offline.settings), offline.settings.log_key)
        hashed = {key: _hashed(key, data.key or "", secret()) for key in keys}
        of_hashes = log.of_keys(list(hashed.values()))
        for key, text in hashed.items():
            if found := ids.get(key, []) + of_hashes.get(text, []):
                ids[key] = sorted(found)
    elif rule != KEEP and not ids:
        msg = (
            f"the contract has {data.key} logged by {rule}, so that answers cannot be told by it: "
            f"name them by a column {ID}; nothing was recorded"
        )
        raise UsageError(msg)
    return ids


def _hashed(key: str, column: str, secret: bytes) -> str:
    change = change_of(HASH, column, secret)
    return key if change is None else str(change(key))


def _first_of(table: pa.Table, names: tuple[str | None, ...], wanted: str) -> str:
    found = next((name for name in names if name and name in table.column_names), None)
    if found is None:
        msg = f"the file needs {wanted}; it has {', '.join(table.column_names[:20])}"
        raise UsageError(msg)
    return found
