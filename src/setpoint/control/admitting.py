"""Rows that come in: checked before any fit may learn from them, kept out while a check fails."""

import msgspec
import numpy as np

from setpoint.clock import say_tick
from setpoint.contract.contract import Contract
from setpoint.control.change import Change, change
from setpoint.control.rows import LabelledRows
from setpoint.control.world import World
from setpoint.data.conform import take
from setpoint.data.labels import LabelReference
from setpoint.data.validate import validate
from setpoint.facts.decision import Decision
from setpoint.facts.report import Check, ValidationReport
from setpoint.facts.state import Blocked, LoopState

_OF_WHOLE_TABLES = frozenset({"min_rows", "columns"})
"""Checks that say nothing of a batch."""


def check_rows(
    contract: Contract, state: LoopState, rows: LabelledRows, start: int, end: int
) -> ValidationReport:
    """Return the report over the rows from `start` up to `end`, their labels held against the champion's."""
    whole = (start, end) == (0, len(rows.at))
    part = rows.conformed if whole else take(rows.conformed, start, end)
    report = validate(
        part,
        contract,
        reference=label_reference_of(state),
        accepted=state.accepted,
        source=rows.origin.source,
    )
    if whole and not rows.unfolding:
        return report
    checks = tuple(check for check in report.checks if check.name not in _OF_WHOLE_TABLES)
    return msgspec.structs.replace(report, checks=checks)


def check_table(contract: Contract, state: LoopState, rows: LabelledRows) -> ValidationReport:
    """Return the report over a whole table that was read, before anything learns from it.

    On the axis of time, labels are compared on the rows that came after the champion's: the others it knows.
    """
    report = check_rows(contract, state, rows, 0, len(rows.at))
    champion = state.versions.get(str(state.champion))
    if champion is None or champion.seen.until is None or not rows.ordered:
        return report
    later = int(np.searchsorted(rows.at, champion.seen.until, side="right"))
    if later >= len(rows.at):
        return report
    newer = check_rows(contract, state, rows, later, len(rows.at))
    labels = tuple(check for check in newer.checks if check.name == "label_share")
    others = tuple(check for check in report.checks if check.name != "label_share")
    return msgspec.structs.replace(report, checks=(*labels, *others))


def why_blocked(report: ValidationReport) -> str:
    """Return why rows are kept out, and how a person can go on all the same."""
    failing = report.blocking
    reason = "; ".join(_words(check) for check in failing[:5])
    ways = sorted({check.name for check in failing if check.acceptable})
    hint = f"; to go on all the same: --accept {' --accept '.join(ways)}" if ways else ""
    return f"{reason}{hint}"


def label_reference_of(state: LoopState) -> LabelReference | None:
    """Return the labels of the champion's training rows; None before the first champion, or for a regression."""
    champion = state.versions.get(str(state.champion))
    if champion is None or not champion.label_shares:
        return None
    return LabelReference(champion.label_shares, champion.trained_rows, champion.label_effect)


def check_arrived(
    world: World, contract: Contract, state: LoopState, rows: LabelledRows, known: int
) -> Change:
    """Check the rows that came in since the last pass; block them, or let them in without a word."""
    now = world.clock.now()
    report = check_rows(contract, state, rows, state.arrived, known)
    after = msgspec.structs.replace(state, arrived=known)
    if report.blocking:
        return block(after, report, start=state.arrived, end=known, rows=rows, now=now)
    reason = f"{known - state.arrived:,} rows came in"
    quiet = Decision(id=f"d-{state.decisions}", at=now, action="check", reason=reason)
    return Change(state=after, decision=quiet)


def block(
    state: LoopState,
    report: ValidationReport,
    *,
    start: int,
    end: int,
    rows: LabelledRows,
    now: float,
) -> Change:
    """Keep rows out of training, with the checks that they fail."""
    failing = report.blocking
    reason = why_blocked(report)
    names = tuple(sorted({check.name for check in failing}))
    blocked = Blocked(start=start, end=end, checks=names, reason=reason, at=now)
    axis = rows.contract.axis
    span = f"{say_tick(float(rows.at[start]), axis)} to {say_tick(float(rows.at[end - 1]), axis)}"
    ways = sorted({check.name for check in failing if check.acceptable})
    after = msgspec.structs.replace(state, blocked=(*state.blocked, blocked))
    return change(
        after,
        "block",
        f"{end - start:,} rows ({span}) are kept out of training: {reason}",
        at=now,
        verdicts=tuple(check.verdict for check in failing),
        numbers={"start": start, "end": end, "checks": list(names), "accept": ways},
    )


def accept(state: LoopState, names: tuple[str, ...], *, now: float) -> Change | None:
    """Record that a person accepts failing checks; None where all of them are accepted already."""
    new = tuple(name for name in names if name not in state.accepted)
    if not new:
        return None
    after = msgspec.structs.replace(state, accepted=(*state.accepted, *new))
    return change(
        after, "accept", f"a person accepts {', '.join(new)}", at=now, numbers={"checks": list(new)}
    )


def admit(state: LoopState, *, now: float) -> Change:
    """Let blocked rows in whose every failing check was accepted since."""
    freed = tuple(one for one in state.blocked if set(one.checks) <= set(state.accepted))
    kept = tuple(one for one in state.blocked if one not in freed)
    count = sum(one.end - one.start for one in freed)
    after = msgspec.structs.replace(state, blocked=kept)
    return change(
        after, "admit", f"{count:,} rows are let in: their failing checks were accepted", at=now
    )


def _words(check: Check) -> str:
    where = f" of {check.column}" if check.column else ""
    return f"{check.name}{where}: {check.verdict.reason}"
