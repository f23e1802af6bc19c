"""Removes answers from the prediction log: what `setpoint log prune` and `setpoint log forget` call.

What is removed stands in the ledger, by how much and why; whom it was about does not.
"""

import math
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from setpoint.adapters.log.chunk_log import ChunkLog
from setpoint.adapters.log.removal import Removed
from setpoint.clock import Clock, SystemClock
from setpoint.contract.scalar import ScalarError
from setpoint.contract.spans import Duration
from setpoint.control.keeping import Need, narrowed, needs
from setpoint.errors import JournalError, SetpointError, StaleStateError, UsageError
from setpoint.facts.ledger import Event
from setpoint.facts.log_rule import HASH, KEEP, change_of
from setpoint.wiring.log_place import LogPlace, find_shadows, open_log, require_log, secret_of
from setpoint.wiring.offline import Offline

_ATTEMPTS = 20  # to write the ledger, while the loop writes it too
_EVERY_S = 3600.0
_APART_S = 300.0  # how far clocks and ticks may lie apart


@dataclass(frozen=True)
class PruneWish:
    """What a person asks for.

    Args:
        keep_s: Age in seconds beyond which answers are removed.
        dry_run: Whether nothing is removed, only said.
        clock: Tells the age.
    """

    keep_s: float
    dry_run: bool = False
    clock: Clock = field(default_factory=SystemClock)


class Retention:
    """Removes what is old, once an hour.

    Args:
        offline: The project; its settings say how long answers are kept.
        clock: Tells the age, and when an hour is over.
        told: Told what was removed, and what went wrong.

    Raises:
        UsageError: The settings say no duration.
    """

    def __init__(self, offline: Offline, clock: Clock, told: Callable[[str], None]) -> None:
        keep = offline.settings.log.keep
        self._keep_s = read_age(keep, "SETPOINT_LOG_KEEP") if keep else None
        self._offline = offline
        self._clock = clock
        self._told = told
        self._next = -math.inf

    def __call__(self) -> None:
        """Remove what is old where that is due; an error is told, and the next hour tries again."""
        now = self._clock.stopwatch()
        if self._keep_s is None or now < self._next:
            return
        self._next = now + _EVERY_S
        try:
            done = prune_log(PruneWish(self._keep_s, clock=self._clock), self._offline)
        except SetpointError as error:
            self._told(f"old answers stay where they are, the next hour tries again: {error}")
            return
        if done.answers or done.shadows:
            self._told(f"{done.answers + done.shadows:,} old answers were removed from the log")


@dataclass(frozen=True)
class Held:
    """Old answers that are kept all the same.

    Args:
        reason: Why.
        since: Instant of the first that is needed.
        answers: How many of the old ones that keeps.
    """

    reason: str
    since: float
    answers: int


@dataclass(frozen=True)
class Pruned:
    """What was removed, or would be.

    Args:
        before: Instant before which answers are old.
        answers: Answers that were removed.
        outcomes: Their outcomes; None where nothing was removed.
        shadows: Answers of shadows that were removed.
        files: Files that were removed; None where nothing was removed.
        size: Their bytes; None where nothing was removed.
        held: What keeps old answers.
        narrowed: What is measured on fewer answers than before; empty where nothing is.
        dry_run: Whether nothing was removed, only said.
    """

    before: float
    answers: int
    outcomes: int | None
    shadows: int
    files: int | None
    size: int | None
    held: tuple[Held, ...]
    narrowed: str
    dry_run: bool


@dataclass(frozen=True)
class Forgotten:
    """What was removed, or would be.

    Args:
        keys: How many keys were named.
        answers: Answers about them.
        outcomes: Their outcomes; None where nothing was removed.
        shadows: Answers of shadows about them.
        files: Files that were written anew without them; None where nothing was removed.
        left: What may still hold some of it; nothing where all is gone.
        dry_run: Whether nothing was removed, only said.
    """

    keys: int
    answers: int
    outcomes: int | None
    shadows: int
    files: int | None
    left: tuple[str, ...]
    dry_run: bool


def read_age(text: str, name: str) -> float:
    """Return the seconds that a person means by `90d` or `24h`.

    Args:
        text: What they wrote.
        name: Where, for messages.

    Raises:
        UsageError: It is no duration.
    """
    try:
        return float(Duration.read(text))
    except ScalarError as error:
        msg = f"{name} {text}: {error}"
        raise UsageError(msg) from error


def prune_log(wish: PruneWish, offline: Offline) -> Pruned:
    """Remove answers that are old and that nothing needs.

    Raises:
        UsageError: There is no log yet.
        JournalError: The log or the ledger cannot be read or written. What was removed stays removed.
    """
    place = require_log(offline.settings)
    at = wish.clock.wall()
    before = at - wish.keep_s
    with ExitStack() as stack:
        log = stack.enter_context(open_log(place, wish.clock))
        shadows = _shadows(place, wish.clock, stack)
        found = _needed(log, offline, at)
        cut = min([before, *(since for since, _ in found)])
        pruning = log.pruning()
        old = pruning.older(before)
        held = tuple(
            Held(need.reason, since, old - pruning.older(since))
            for since, need in found
            if since < before
        )
        fewer = narrowed(offline.journal.load()[0], offline.contract, cut)
        if offline.contract.axis == "rows":
            fewer = ""
        if wish.dry_run:
            count = 0 if shadows is None else shadows.pruning().older(cut)
            answers = pruning.older(cut)
            return Pruned(before, answers, None, count, None, None, held, fewer, dry_run=True)
        done = pruning.prune(cut, at=at)
        of_shadows = Removed() if shadows is None else shadows.pruning().prune(cut, at=at)
        if isinstance(place.tables, Path) and (done.answers or of_shadows.answers):
            log.scrub()  # of a file of one's own; a database does it by itself
    result = Pruned(
        before=before,
        answers=done.answers,
        outcomes=done.outcomes,
        shadows=of_shadows.answers,
        files=done.files + of_shadows.files,
        size=done.size + of_shadows.size,
        held=held,
        narrowed=fewer if done.answers else "",
        dry_run=False,
    )
    if done.answers or of_shadows.answers:
        numbers: dict[str, Any] = {
            "before": cut,
            "answers": done.answers,
            "outcomes": done.outcomes,
        }
        numbers |= {"shadows": of_shadows.answers, "files": result.files}
        _note(offline, "log_pruned", f"answers older than {wish.keep_s:g} s are not kept", numbers)
    return result


def forget_keys(
    keys: tuple[str, ...], offline: Offline, *, dry_run: bool = False, clock: Clock | None = None
) -> Forgotten:
    """Remove all answers about some keys, with their outcomes, and the bytes of them where that can be done.

    Args:
        keys: The keys, as rows have them.
        offline: The project.
        dry_run: Whether nothing is removed, only said.
        clock: Tells the present, for the record.

    Raises:
        UsageError: There is no log yet, or no key is named.
        JournalError: The log or the ledger cannot be read or written. What was removed stays removed.
    """
    if not any(keys):
        raise UsageError("name whom to forget, by --key")
    clock = clock or SystemClock()
    place = require_log(offline.settings)
    wanted, left = _as_logged(keys, offline, place)
    done = of_shadows = Removed()
    with ExitStack() as stack:
        log = stack.enter_context(open_log(place, clock))
        logs = [log, _shadows(place, clock, stack)]
        if dry_run:
            counts = [0 if one is None else one.forgetting(wanted).count() for one in logs]
            return Forgotten(len(keys), counts[0], None, counts[1], None, left, dry_run=True)
        removed = [
            Removed() if one is None else one.forgetting(wanted).forget(at=clock.wall())
            for one in logs
        ]
        done, of_shadows = removed
        scrubbed = [one.scrub() for one in logs if one is not None]
    result = Forgotten(
        keys=len(keys),
        answers=done.answers,
        outcomes=done.outcomes,
        shadows=of_shadows.answers,
        files=done.files + of_shadows.files,
        left=(*left, *dict.fromkeys(one for one in scrubbed if one)),
        dry_run=False,
    )
    if done.answers or of_shadows.answers:
        numbers: dict[str, Any] = {
            "keys": len(keys),
            "answers": done.answers,
            "outcomes": done.outcomes,
        }
        numbers |= {"shadows": of_shadows.answers, "files": result.files}
        _note(offline, "answers_forgotten", "somebody asked to be forgotten", numbers)
    return result


def _shadows(place: LogPlace, clock: Clock, stack: ExitStack) -> ChunkLog | None:
    found = find_shadows(place, clock)
    return None if found is None else stack.enter_context(found)


def _needed(log: ChunkLog, offline: Offline, at: float) -> list[tuple[float, Need]]:
    """Return what the loop needs, the oldest first, each with the instant of the first answer."""
    contract = offline.contract
    state, _ = offline.journal.load()
    if contract.axis == "time":
        return [(need.since - _APART_S, need) for need in needs(state, contract, at)]
    pruning = log.pruning()
    found = []
    for need in needs(state, contract, float(log.span()[2])):
        instant = pruning.instant_of(max(0, math.floor(need.since)))
        if instant is not None:
            found.append((instant, need))
    return sorted(found)


def _as_logged(
    keys: tuple[str, ...], offline: Offline, place: LogPlace
) -> tuple[set[str], tuple[str, ...]]:
    """Return keys in all forms in which the log may have them, and what cannot be found by any."""
    data = offline.contract.require_data()
    if not data.key:
        raise UsageError("answers have no key: the contract does not name data.key")
    rule = data.withheld.get(data.key, KEEP)
    wanted = set(keys)
    if rule == HASH:
        change = change_of(HASH, data.key, secret_of(place, offline.settings.log_key)())
        wanted |= {str(change(key)) for key in keys if change is not None}
    elif rule != KEEP:
        return wanted, (
            f"the contract has {data.key} logged by {rule}: answers since then cannot be told by it",
        )
    return wanted, ()


def _note(offline: Offline, kind: str, reason: str, numbers: dict[str, Any]) -> None:
    """Write into the ledger what was removed.

    Raises:
        JournalError: It cannot be written.
    """
    for _ in range(_ATTEMPTS):
        state, revision = offline.journal.load()
        if state is None:
            return
        event = Event(kind=kind, at=state.now, body={"reason": reason, "numbers": numbers})
        try:
            offline.journal.commit(revision, state, [event])
        except StaleStateError:
            continue
        return
    raise JournalError(
        "the ledger changes too fast to note what was removed from the log; it was removed"
    )
