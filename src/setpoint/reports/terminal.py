"""Facts as the terminal shows them: rich renderables, never printed here, never coloured without a symbol."""

import re
from collections.abc import Iterable
from typing import Final

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from setpoint.clock import Axis, say_moment, say_tick
from setpoint.facts.decision import Action, Decision
from setpoint.facts.release import Release
from setpoint.facts.replay import Replay
from setpoint.facts.report import ValidationReport
from setpoint.facts.state import LoopState
from setpoint.facts.verdict import Ruling, Verdict
from setpoint.reports.decision_groups import grouped
from setpoint.reports.replay_summary import (
    comparison_note,
    gates_summary,
    line_rows,
    replay_summary,
    settings_words,
)
from setpoint.reports.validation_view import CheckRow, validation_view
from setpoint.reports.wording import (
    MINUS,
    SYMBOLS,
    say_action,
    say_change,
    say_count,
    say_interval,
    say_limit,
    say_number,
    say_plain,
    say_reason,
    say_verdict,
    say_when,
)

SHOWN: Final = 40
"""Checks or decisions that a terminal shows unless told otherwise."""

_COLOURS: Final[dict[Ruling, str]] = {
    "pass": "green",
    "fail": "red",
    "inconclusive": "yellow",
    "error": "magenta",
}
_LOUD: Final[dict[Action, str]] = {
    "promote": "green",
    "refuse": "red",
    "roll_back": "red",
    "block": "red",
    "alert": "yellow",
    "hold": "yellow",
}
_DIGITS: Final = 12  # of a digest
_NOTHING_MORE: Final = " is within the limit"  # what a tick and two numbers say already
_NUMBER = rf"[+{MINUS}]?[\d.,e-]+"
_INTERVAL: Final = re.compile(rf" \({_NUMBER} to {_NUMBER}\)")


def verdict_table(verdicts: Iterable[Verdict], *, title: str = "gate") -> Group:
    """Return verdicts with their numbers, one a line, then what is to be said of them, each on lines of its own.

    Args:
        verdicts: What is shown.
        title: Name of the first column.
    """
    shown = list(verdicts)
    columns = ("observed", "limit", "interval", "n")
    # A limit that the subject names, as in `f1 min 0.6`, is not said again.
    limits = [say_limit(verdict.limit) for verdict in shown]
    limits = [
        "" if limit in verdict.subject.split() else limit
        for limit, verdict in zip(limits, shown, strict=True)
    ]
    table = _table(title)
    table.add_column("verdict", no_wrap=True)
    for name in columns:
        if name != "limit" or any(limits):
            table.add_column(name, justify="right", no_wrap=name != "limit")
    for verdict, limit in zip(shown, limits, strict=True):
        table.add_row(
            Text(verdict.subject),
            Text(say_verdict(verdict), style=_COLOURS[verdict.verdict]),
            say_number(verdict.observed),
            *([Text(limit)] if any(limits) else []),
            say_interval(verdict.interval),
            "" if verdict.n is None else f"{verdict.n:,}",
        )
    said = [
        Padding(Text(f"{SYMBOLS[verdict.verdict]} {verdict.subject}: {reason}"), (0, 0, 0, 2))
        for verdict in shown
        if (reason := _reason_alone(verdict))
    ]
    return Group(table, *said)


def _reason_alone(verdict: Verdict) -> str:
    """Return the reason without the interval, where that stands in the table already."""
    reason = say_reason(verdict.reason)
    if verdict.verdict == "pass" and reason.endswith(_NOTHING_MORE):
        return ""
    return _INTERVAL.sub("", reason, count=1) if verdict.interval else reason


def decision_table(decisions: Iterable[Decision], axis: Axis, *, most: int = SHOWN) -> Group:
    """Return the last `most` decisions in order: when, what, why and the id that `explain` takes."""
    groups = grouped(decisions)
    table = _table("when", "decision")
    table.add_column("why", ratio=1)
    table.add_column("id", style="dim", no_wrap=True)
    for group in groups[-most:]:
        decision = group.first
        times = f", {group.times:,} times" if group.times > 1 else ""
        table.add_row(
            _moment(decision, axis),
            Text(say_action(decision) + times, style=_LOUD.get(decision.action, "")),
            Text(say_reason(decision.reason)),
            Text(decision.id),
        )
    parts: list[RenderableType] = [table]
    if len(groups) > most:
        parts.append(Text(f"{len(groups) - most:,} earlier ones are not shown", style="dim"))
    return Group(*parts)


def decision_view(decision: Decision, axis: Axis) -> Group:
    """Return one decision in full, as `explain` shows it."""
    head = Text.assemble(
        (say_action(decision), _LOUD.get(decision.action, "bold")),
        f"  {_moment(decision, axis)}",
        ("  " + decision.id, "dim"),
    )
    parts: list[RenderableType] = [head, Text(say_reason(decision.reason))]
    facts = {
        "at": say_when(decision.at, axis) if decision.recorded and axis == "rows" else "",
        "version": "" if decision.version is None else str(decision.version),
        "attempt": decision.attempt,
        **{name: say_plain(value) for name, value in decision.numbers.items()},
    }
    parts.append(_facts({name: value for name, value in facts.items() if value}))
    if decision.verdicts:
        parts.append(verdict_table(decision.verdicts, title="check"))
        evidence = {
            verdict.subject: say_plain(verdict.evidence)
            for verdict in decision.verdicts
            if verdict.evidence
        }
        parts.append(_facts(evidence))
    return Group(*parts)


def validation_table(report: ValidationReport, *, most: int = SHOWN) -> Group:
    """Return a validation report: what did not pass, remarks, and how many checks passed."""
    view = validation_view(report)
    parts: list[RenderableType] = []
    if view.told:
        table = _table("check", "column", "verdict")
        table.add_column("why", ratio=1)
        for row in view.told[:most]:
            table.add_row(
                Text(row.check.name),
                Text(row.check.column),
                _said(row),
                Text(row.check.verdict.reason),
            )
        parts.append(table)
        if len(view.told) > most:
            parts.append(Text(f"… and {len(view.told) - most:,} more"))
    parts += [
        _line(f"note {row.check.name} {row.check.column}: {row.check.verdict.reason}")
        for row in view.notes
    ]
    passed = len(report.checks) - len(view.told)
    checks = f"{passed:,} of {len(report.checks):,} checks passed"
    parts.append(_line(f"{report.source}: {report.rows:,} rows, {checks}"))
    if view.names_to_accept:
        names = " --accept ".join(view.names_to_accept)
        parts.append(_line(f"to go on all the same: --accept {names}"))
    return Group(*parts)


def replay_table(replay: Replay) -> Group:
    """Return what a replay says: the four lines, then the sentences of its page."""
    table = _table("line", "")
    table.columns[1].ratio = 1
    table.add_column(replay.metric, justify="right")
    table.add_column("against the loop", justify="right", no_wrap=True)
    table.add_column("fits", justify="right", no_wrap=True)
    for line in line_rows(replay):
        value = f"{say_number(line.value)}{' ★' if line.is_best else '  '}"
        style = "bold" if line.name == "loop" else ""
        against = "" if line.name == "loop" else say_change(line.against)
        table.add_row(line.name, Text(line.words), value, against, line.fits, style=style)
    sentences = [*replay_summary(replay), gates_summary(replay.gate_costs, replay.metric)]
    notes = [f"Note: {note}" for note in replay.notes]
    spent = f"{replay.rows:,} rows in {replay.seconds:,.1f} s"
    told = ", ".join(f"{name} {words}" for name, words in settings_words(replay))
    if told:
        notes.append(f"Told: {told}.")
    return Group(
        table,
        Text(comparison_note(replay), style="dim"),
        *(Text(text) for text in (*sentences, *notes)),
        Text(spent, style="dim"),
    )


def status_table(state: LoopState, axis: Axis, *, promoted: float | None = None) -> Group:
    """Return where one model stands: champion, release, attempt, what is kept out.

    Args:
        state: The state.
        axis: What its ticks count.
        promoted: When the champion was promoted, in seconds since 1970-01-01 UTC, where that is known.
    """
    facts = {"contract": state.contract[:_DIGITS], "last pass": say_when(state.now, axis)}
    facts["champion"] = (
        _version(state, state.champion, axis, promoted) if state.champion else "none yet"
    )
    if state.previous:
        facts["rolls back to"] = f"version {state.previous}"
    if release := state.release:
        facts["release"] = _say_release(release, axis)
    if state.proposed:
        facts["proposed"] = f"version {state.proposed} awaits its release"
    if attempt := state.attempt:
        facts["attempt"] = f"{attempt.id[:_DIGITS]} {attempt.stage}: {attempt.reason}"
    if watch := state.watch:
        facts["watched"] = f"version {watch.version} until {say_when(watch.until, axis)}"
    facts |= _troubles(state)
    facts["versions"] = say_count(len(state.versions), "version")
    parts: list[RenderableType] = [Text(state.model, style="bold"), _facts(facts)]
    if state.blocked:
        table = _table("kept out", "checks")
        table.add_column("why", ratio=1)
        for rows in state.blocked[-SHOWN:]:
            span = f"row {rows.start:,} to {rows.end:,}"
            table.add_row(span, Text(", ".join(rows.checks)), Text(rows.reason))
        parts.append(table)
    if state.attempt and state.attempt.verdicts:
        parts.append(verdict_table(state.attempt.verdicts))
    return Group(*parts)


def _say_release(release: Release, axis: Axis) -> str:
    steps = f", step {release.step + 1} of {len(release.steps)}" if len(release.steps) > 1 else ""
    since = f"since {say_when(release.step_at, axis)}"
    held = "; its time is up, and a person must decide" if release.held else ""
    return (
        f"version {release.version} gets {release.lot} ({release.strategy}{steps}, {since}){held}"
    )


def _troubles(state: LoopState) -> dict[str, str]:
    troubles = {}
    if state.breaches:
        troubles["in breach"] = ", ".join(state.breaches)
    if state.unserved:
        refused = (f"{name}: {verdict.reason}" for name, verdict in state.unserved.items())
        troubles["not served"] = "; ".join(refused)
    return troubles


def _moment(decision: Decision, axis: Axis) -> str:
    """Return when a decision was taken: by the clock on the wall, or in a replay its tick."""
    if decision.recorded is None:
        return say_when(decision.at, axis)
    return say_moment(decision.at, axis, decision.recorded)


def _version(state: LoopState, number: int, axis: Axis, promoted: float | None) -> str:
    words = f"version {number}"
    if state.promoted_at is not None:
        since = say_when(state.promoted_at, axis)
        words += f", since {since if promoted is None else say_tick(promoted, 'time')}"
    known = state.versions.get(str(number))
    if known is not None and known.metrics:
        metrics = ", ".join(f"{name} {say_number(value)}" for name, value in known.metrics.items())
        words += f" ({metrics} at its gates)"
    return words


def _said(row: CheckRow) -> Text:
    words = say_verdict(row.check.verdict) + (" (accepted)" if row.is_accepted else "")
    return Text(words, style=_COLOURS[row.check.verdict.verdict])


def _line(text: str) -> Text:
    # Stays one line however narrow the terminal is, so that it can be searched and pasted; print with crop=False.
    return Text(text, no_wrap=True, overflow="ignore")


def _table(*columns: str) -> Table:
    return Table(*columns, box=None, pad_edge=False, header_style="dim")


def _facts(facts: dict[str, str]) -> Table:
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="dim", no_wrap=True)
    grid.add_column(ratio=1)
    for name, value in facts.items():
        grid.add_row(Text(name), Text(value))
    return grid


def ruling_text(ruling: Ruling) -> Text:
    """Return a ruling with its symbol and colour."""
    return Text(f"{SYMBOLS[ruling]} {ruling}", style=_COLOURS[ruling])
