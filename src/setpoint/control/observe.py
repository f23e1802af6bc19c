"""What the loop sees in one pass: windows that are over, rows that came in, where a release stands. Reads only."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from setpoint.contract.contract import Contract
from setpoint.control.holding import held_back
from setpoint.control.releasing import look_back, rules_of
from setpoint.control.rows import LabelledRows, admitted
from setpoint.control.world import World
from setpoint.errors import UsageError
from setpoint.facts.answers import Answers
from setpoint.facts.signal import Signal, Window
from setpoint.facts.state import Hold, LoopState
from setpoint.facts.version import ModelVersion
from setpoint.monitor.answered import Answered, AtRelease, Outcomes
from setpoint.monitor.signals import signals
from setpoint.monitor.windows import complete_windows
from setpoint.release.machine import Step, step
from setpoint.release.watch import WatchStep


@dataclass(frozen=True)
class Seen:
    """What one pass saw.

    Args:
        now: The present tick.
        known: Leading rows whose label is known.
        arrived: Leading rows that came in; a source that is read as a whole has no arrivals.
        counters: Counts and ages by the name that conditions use.
        windows: Signals of each complete window that was not looked at before, oldest first.
        watched: End of the last of them.
        step: What the rules say of the release under way, if there is one.
        look_back: What outcome guardrails say of the promoted version, if one is watched.
        hold: Why a retrain that is due would be no use on these rows, if anything says so.
        alias: Version that the registry's alias `champion` names, 0 for none; None where nobody looked.
    """

    now: float
    known: int
    arrived: int
    counters: Mapping[str, float]
    windows: tuple[Mapping[str, Signal], ...] = ()
    watched: float = 0.0
    step: Step | None = None
    look_back: WatchStep | None = None
    hold: Hold | None = None
    alias: int | None = None


def observe(world: World, contract: Contract, state: LoopState, rows: LabelledRows) -> Seen:
    """Return what is to be seen now."""
    now = world.clock.now()
    known = rows.known(now)
    windows, watched = watch_windows(world, contract, state, now)
    release = None
    if state.release is not None and state.release.strategy != "direct":
        arms = world.traffic.arms(state.release.generation)
        release = step(state.release, arms, rules_of(contract, state), now=now)
    return Seen(
        now=now,
        known=known,
        arrived=known if rows.unfolding else 0,
        counters=counters(state, known, now),
        windows=windows,
        watched=watched,
        step=release,
        look_back=None if state.watch is None else look_back(world, contract, state, state.watch),
        alias=world.registry.aliases(state.model).get("champion", 0),
    )


def observe_due(
    world: World, contract: Contract, state: LoopState, rows: LabelledRows, seen: Seen
) -> Seen:
    """Return what was seen, and whether a retrain that is due would be any use; looked at only where one is."""
    return replace(seen, hold=held_back(world, contract, state, rows))


def observe_work(world: World, rows: LabelledRows) -> Seen:
    """Return what is to be seen of work under way alone, for a pass that a person asked for."""
    now = world.clock.now()
    return Seen(now=now, known=rows.known(now), arrived=0, counters={})


def counters(state: LoopState, known: int, now: float) -> dict[str, float]:
    """Return counts and ages by the name that conditions of the contract use."""
    fresh = sum(
        end - max(start, state.fitted_rows)
        for start, end in admitted(known, state.blocked)
        if end > state.fitted_rows
    )
    found = {"rows.new": float(fresh), "rows.labelled": float(fresh)}
    champion = state.versions.get(str(state.champion))
    if champion is not None:
        found["model.age"] = now - champion.registered_at
    return found


def watch_windows(
    world: World, contract: Contract, state: LoopState, now: float
) -> tuple[tuple[Mapping[str, Signal], ...], float]:
    """Return the signals of every complete window since the last look, and the end of the last window."""
    champion = state.versions.get(str(state.champion))
    if champion is None:
        return (), now
    first, last = world.traffic.reach()
    start = max(state.watched, first)
    over = complete_windows(start, min(now, max(last, start)), contract.monitor.window.value)
    found = [_look(world, contract, state, champion, Window(start=a, end=b)) for a, b in over]
    for window in found:
        world.looked(window)
    return tuple(found), over[-1][1] if over else state.watched


def look_now(world: World, contract: Contract, state: LoopState) -> dict[str, Signal]:
    """Return the signals of the last window of answers, whole or not, by name; changes nothing.

    Raises:
        UsageError: Production is on no version yet, or nobody asked it anything since its promotion.
    """
    champion = state.versions.get(str(state.champion))
    if champion is None:
        raise UsageError("production is on no version yet: setpoint run")
    _, end = world.traffic.reach()
    start = max(end - contract.monitor.window.value, state.promoted_at or 0.0)
    if start >= end:
        msg = f"version {champion.version} has answered nothing since its promotion"
        raise UsageError(msg)
    return _look(world, contract, state, champion, Window(start=start, end=end))


def _look(
    world: World, contract: Contract, state: LoopState, champion: ModelVersion, window: Window
) -> dict[str, Signal]:
    """Return the signals of one window by name; performance looks at the window whose labels are due by now."""
    here = Window(start=window.start, end=window.end, version=champion.version)
    delay = contract.label_delay.value
    released = state.promoted_at or 0.0
    due = Window(
        start=max(released, window.start - delay),
        end=max(released, window.end - delay),
        version=champion.version,
    )
    answered = _answered(world, here)
    matured = answered if delay == 0 else _answered(world, due)
    every = world.traffic.answers(champion.version, released, window.end)
    found = signals(
        contract,
        world.bundles.profile(champion.artifact),
        answered,
        matured=matured,
        outcomes=_outcomes(every, due.end),
        at_release=_at_release(contract, champion),
    )
    return {signal.name: signal for signal in found}


def _answered(world: World, window: Window) -> Answered:
    answers = world.traffic.answers(window.version, window.start, window.end)
    return Answered(
        window=Window(
            start=window.start,
            end=window.end,
            version=window.version,
            rows=answers.table.num_rows,
        ),
        classes=answers.classes,
        features=answers.table,
        scores=answers.scores,
        truth=answers.truth_label if answers.classes else answers.truth_value,
        known=answers.known,
        ordered=True,
        failed=None if not world.wall_clock else answers.failed,
    )


def _outcomes(every: Answers, due_before: float) -> Outcomes:
    known = every.known
    scores = every.scores
    kept = type(scores)(
        label=scores.label[known] if scores.label.size else scores.label,
        probability=scores.probability[known] if scores.probability.size else scores.probability,
        value=scores.value[known] if scores.value.size else scores.value,
    )
    truth = every.truth_label if every.classes else every.truth_value
    return Outcomes(
        classes=every.classes,
        scores=kept,
        truth=truth[known],
        due=int(np.count_nonzero(every.at < due_before)),
    )


def _at_release(contract: Contract, version: ModelVersion) -> AtRelease | None:
    metric = contract.primary_metric
    if metric is None or metric not in version.intervals or metric not in version.metrics:
        return None
    low, high = version.intervals[metric]
    return AtRelease(value=version.metrics[metric], low=low, high=high)
