"""What a replay says in plain words: which line won, what that took, and what the gates were worth."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from setpoint.facts.replay import LINES, GateCost, LineName, Replay
from setpoint.reports.gate_worth import told
from setpoint.reports.wording import say_count, say_number, say_percent_change, say_when

_NOTHING: Final = 5e-4
"""Differences of a metric below this are called none: they are not seen at three decimals."""
_ADOPTED_AND_TWIN: Final = 2
_DIGITS: Final = 16  # of a digest; enough to find it
_NAMES: Final[dict[LineName, str]] = {
    "loop": "the loop",
    "scheduled": "refitting on a schedule",
    "static": "training once",
    "no_change": "repeating the last known label",
}


@dataclass(frozen=True)
class LineRow:
    """One line of a replay as the page shows it; `against` is by how much it was better than the loop."""

    name: LineName
    words: str
    value: float | None
    against: float | None
    fits: str
    is_best: bool


def best_line(replay: Replay) -> LineName | None:
    """Return the line with the best metric; the loop where it is as good; None where no line has a value."""
    best: LineName | None = None
    for line in LINES:  # the loop comes first, so that it keeps a tie
        if replay.of(line) is None:
            continue
        if best is None or (replay.better(line, best) or 0.0) > 0:
            best = line
    return best


def replay_summary(replay: Replay) -> tuple[str, ...]:
    """Return what the replay says, as one to four sentences; a better schedule or no model at all is said as such."""
    best = best_line(replay)
    if best is None:
        return (f"No line has a value of {replay.metric}: there is nothing to compare.",)
    if replay.loop is None or replay.of("loop") is None:
        return (f"The loop has no value of {replay.metric}; {_NAMES[best]} scored best.",)
    sentences = [_against_static(replay), _against_schedule(replay), _against_no_change(replay)]
    return tuple(sentence for sentence in (*sentences, _effort(replay)) if sentence)


def gates_summary(costs: Sequence[GateCost], metric: str) -> str:
    """Return what the judgements of the gates were worth, in two sentences."""
    if not costs:
        return "The gates judged no candidate after the first."
    known = [cost for cost in costs if cost.worth is not None]
    if not known:
        return f"The gates took {say_count(len(costs), 'judgement')}; no later rows tell yet what they were worth."
    words = [
        _worth([cost for cost in known if cost.action == action], action, metric)
        for action in ("refuse", "promote")
    ]
    unknown = len(costs) - len(known)
    rest = f" Of {unknown:,} more, no later rows tell." if unknown else ""
    return " ".join(word for word in words if word) + rest


def comparison_note(replay: Replay) -> str:
    """Return how to read the numbers of the lines: which way the metric runs, and what the signs mean."""
    return (
        f"{replay.metric}: {replay.direction} is better. "
        "Against the loop: + is better than the loop, \N{MINUS SIGN} worse, whichever way the metric runs."
    )


def settings_words(replay: Replay) -> tuple[tuple[str, str], ...]:
    """Return what the replay was told, as pairs of a name and words; empty where it is not known."""
    told = replay.settings
    if told is None:
        return ()
    at_once = re.fullmatch(r"0\D*", told.label_delay)
    delay = "known at once" if at_once else f"{told.label_delay} late"
    start = f"row {told.start:,}"
    if replay.axis == "time":
        start = f"{say_when(told.start_at, replay.axis)} ({start})"
    digest = replay.contract[:_DIGITS]
    return (
        ("labels", delay),
        ("first answer", start),
        ("a look every", told.batch),
        ("seed", str(told.seed)),
        *((("contract", digest),) if digest else ()),
    )


def line_rows(replay: Replay) -> tuple[LineRow, ...]:
    """Return the four lines in the order people read them."""
    best = best_line(replay)
    return tuple(
        LineRow(
            name=line,
            words=_words(replay, line),
            value=replay.of(line),
            against=replay.better(line, "loop"),
            fits=_fits(replay, line),
            is_best=line == best,
        )
        for line, _ in LINES.items()
    )


def _words(replay: Replay, line: LineName) -> str:
    if line == "scheduled" and replay.schedule:
        return replay.schedule
    return LINES[line]


def _fits(replay: Replay, line: LineName) -> str:
    known: dict[LineName, int | None] = {
        "loop": replay.fits,
        "scheduled": replay.scheduled_fits,
        "static": 1,
        "no_change": 0,
    }
    count = known[line]
    return "" if count is None else f"{count:,}"


def _worth(costs: Sequence[GateCost], action: str, metric: str) -> str:
    if not costs:
        return ""
    good = [cost for cost in costs if told(cost) == "worth it"]
    bad = [cost for cost in costs if told(cost) == "cost something"]
    open_ones = len(costs) - len(good) - len(bad)
    parts = []
    if good:
        best = say_number(max(cost.worth or 0.0 for cost in good))
        verb = "saved" if action == "refuse" else "gained"
        parts.append(f"{len(good):,} {verb} up to {best} {metric}")
    if bad:
        worst = say_number(max(-(cost.worth or 0.0) for cost in bad))
        parts.append(f"{len(bad):,} cost up to {worst} {metric}")
    if open_ones:
        parts.append(f"for {open_ones:,} the later rows show no difference")
    what = say_count(len(costs), "refusal" if action == "refuse" else "promotion")
    return f"Of {what}, {'; '.join(parts)}."


def _against_static(replay: Replay) -> str:
    said = f"The loop scored {say_number(replay.loop)} {replay.metric}"
    better = replay.better("loop", "static")
    if better is None:
        return f"{said}."
    once = f"the model that was trained once scored {say_number(replay.static)}"
    if abs(better) < _NOTHING:
        return f"{said}; {once}, so the loop gained nothing on this history."
    if better < 0:
        return f"{said}; {once}: leaving the model alone would have been better here."
    return f"{said}; {once}."


def _against_schedule(replay: Replay) -> str:
    better = replay.better("loop", "scheduled")
    if better is None:
        return ""
    scored = f"scored {say_number(replay.scheduled)}"
    if abs(better) < _NOTHING:
        return f"Refitting on a schedule {scored}, which is as good."
    if better > 0:
        return f"Refitting on a schedule, without gates, {scored}: {say_number(round(better, 4))} worse than the loop."
    return (
        f"Refitting on a schedule was better than the loop: it {scored}, {say_number(round(-better, 4))} better. "
        "What the gates cost stands below; gates that ask for less proof would follow it more closely."
    )


def _against_no_change(replay: Replay) -> str:
    better = replay.better("loop", "no_change")
    if better is None:
        return ""
    scored = f"the last known label scores {say_number(replay.no_change)} without any model"
    if better <= _NOTHING:
        return f"Mind that {scored}: on this history the loop is not worth having."
    return f"For comparison, {scored}."


def _effort(replay: Replay) -> str:
    done = [
        say_count(replay.promotions, "promotion"),
        f"{replay.refused:,} refused" if replay.refused else "none refused",
        f"{replay.rollbacks:,} rolled back" if replay.rollbacks else "none rolled back",
    ]
    fits = f"It took {say_count(replay.fits, 'fit')}"
    if replay.scheduled_fits:
        more = say_percent_change(replay.fits, replay.scheduled_fits)
        fits += f" instead of the schedule's {replay.scheduled_fits:,} ({more})"
    blocked = (
        f" {say_count(replay.data_blocked, 'batch', 'batches').capitalize()} of bad data "
        f"{'was' if replay.data_blocked == 1 else 'were'} kept out."
        if replay.data_blocked
        else ""
    )
    return f"{fits}: {_first_fits(replay)}{', '.join(done)}.{blocked}"


def _first_fits(replay: Replay) -> str:
    """Return the fits that no gate judged: they come before the first row that is answered."""
    fitted = sum(decision.action == "fit" for decision in replay.decisions)
    first = replay.fits - fitted
    if not fitted or first <= 0:
        return ""
    twin = " and its twin" if first == _ADOPTED_AND_TWIN else ""
    return f"{first:,} for the model adopted at the start{twin}, {fitted:,} for candidates; "
