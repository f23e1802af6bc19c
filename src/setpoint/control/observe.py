"""What the loop sees in one pass: windows that are over, rows that came in, where a release stands. Reads only."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from setpoint.contract.contract import Contract
from setpoint.control.gateways import live_reports, unserved
from setpoint.control.holding import held_back
from setpoint.control.release_look import look_at_release
from setpoint.control.releasing import look_back
from setpoint.control.rows import LabelledRows, admitted
from setpoint.control.world import World
from setpoint.errors import RegistryError, UsageError
from setpoint.facts.answers import Scored
from setpoint.facts.signal import Signal, Window
from setpoint.facts.state import Hold, LoopState
from setpoint.facts.verdict import Verdict
from setpoint.facts.version import ModelVersion
from setpoint.monitor.answered import Answered, AtRelease, Outcomes
from setpoint.monitor.performance import scores_where
from setpoint.monitor.signals import signals
from setpoint.monitor.windows import complete_windows
from setpoint.release.move import Step
from setpoint.release.served import judge_fallen
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
        unserved: What of production some gateway cannot serve, told by `gateways.unserved`.
        fallen: Why the champion must give way to the version before it: no gateway can serve it.
        hold: Why a retrain that is due would be no use on these rows, if anything says so.
        alias: Version that the registry's alias `champion` names, 0 for none; None where nobody looked.
        wall: Seconds since 1970-01-01 UTC, for schedules where ticks are rows; None in a replay.
    """

    now: float
    known: int
    arrived: int
    counters: Mapping[str, float]
    windows: tuple[Mapping[str, Signal], ...] = ()
    watched: float = 0.0
    step: Step | None = None
    look_back: WatchStep | None = None
    unserved: Mapping[str, Verdict] = field(default_factory=dict)
    fallen: Verdict | None = None
    hold: Hold | None = None
    alias: int | None = None
    wall: float | None = None


def observe(world: World, contract: Contract, state: LoopState, rows: LabelledRows) -> Seen:
    """Return what is to be seen now."""
    now = world.clock.now()
    known = rows.known(now)
    windows, watched = watch_windows(world, contract, state, now)
    reports = live_reports(world)
    return Seen(
        now=now,
        known=known,
        arrived=known if rows.unfolding else 0,
        counters=counters(state, known, now),
        windows=windows,
        watched=watched,
        step=look_at_release(world, contract, state, reports),
        look_back=None if state.watch is None else look_back(world, contract, state, state.watch),
        unserved=unserved(state, reports),
        fallen=judge_fallen(state.champion, state.previous, reports),
        alias=_champion_alias(world, state),
        wall=world.clock.wall() if world.wall_clock else None,
    )


def observe_due(
    world: World, contract: Contract, state: LoopState, rows: LabelledRows, seen: Seen
) -> Seen:
    """Return what was seen, and whether a retrain that is due would be any use; looked at only where one is."""
    return replace(seen, hold=held_back(world, contract, state, rows))


def observe_work(world: World, state: LoopState, rows: LabelledRows) -> Seen:
    """Return what is to be seen of work under way alone, for a pass that a person asked for.

    A fit is begun without a look at the registry, which takes seconds to open and opens meanwhile.
    """
    now = world.clock.now()
    before_fit = state.attempt is not None and state.attempt.stage == "opened"
    alias = None if before_fit else _champion_alias(world, state)
    return Seen(now=now, known=rows.known(now), arrived=0, counters={}, alias=alias)


def _champion_alias(world: World, state: LoopState) -> int | None:
    """Return the version that the alias names. A registry that does not answer must not stop a rollback."""
    try:
        return world.registry.aliases(state.model).get("champion", 0)
    except RegistryError:
        return None  # the projection meets it too, after the document: there it is an error


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
    found = _look(world, contract, state, champion, over)
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
    (found,) = _look(world, contract, state, champion, [(start, end)])
    return found


def _look(
    world: World,
    contract: Contract,
    state: LoopState,
    champion: ModelVersion,
    windows: Sequence[tuple[float, float]],
) -> list[dict[str, Signal]]:
    """Return the signals of each window by name; performance looks at the window whose labels are due by now.

    What was answered since the promotion is read once for all windows, and without the inputs.
    """
    if not windows:
        return []
    delay = contract.label_delay.value
    released = state.promoted_at or 0.0
    since = [(released, end) for _, end in windows]
    due = [(max(released, start - delay), max(released, end - delay)) for start, end in windows]
    told = world.traffic.scored(champion.version, [*since, *due])
    profile, at_release = world.bundles.profile(champion.artifact), _at_release(contract, champion)
    looks = []
    for window, every, matured in zip(windows, told, told[len(windows) :], strict=False):
        found = signals(
            contract,
            profile,
            _answered(world, champion.version, window),
            matured=_answered_of(matured),
            outcomes=_outcomes(every, matured.end),
            at_release=at_release,
        )
        looks.append({signal.name: signal for signal in found})
    return looks


def _answered(world: World, version: int, window: tuple[float, float]) -> Answered:
    answers = world.traffic.answers(version, *window)
    failed = answers.failed if world.wall_clock else None
    return replace(
        _answered_of(answers), features=answers.table, failed=failed, withheld=answers.withheld
    )


def _answered_of(scored: Scored) -> Answered:
    """Return answers as the monitor takes them, without their inputs."""
    window = Window(
        start=scored.start, end=scored.end, version=scored.version, rows=len(scored.known)
    )
    return Answered(
        window=window,
        classes=scored.classes,
        features={},
        scores=scored.scores,
        truth=scored.truth_label if scored.classes else scored.truth_value,
        known=scored.known,
        ordered=True,
    )


def _outcomes(every: Scored, due_before: float) -> Outcomes:
    truth = every.truth_label if every.classes else every.truth_value
    return Outcomes(
        classes=every.classes,
        scores=scores_where(every.scores, every.known),
        truth=truth[every.known],
        due=int(np.count_nonzero(every.at < due_before)),
    )


def _at_release(contract: Contract, version: ModelVersion) -> AtRelease | None:
    metric = contract.primary_metric
    if metric is None or metric not in version.intervals or metric not in version.metrics:
        return None
    low, high = version.intervals[metric]
    return AtRelease(value=version.metrics[metric], low=low, high=high)
