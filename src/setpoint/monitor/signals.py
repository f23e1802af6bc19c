"""One look at a window: every signal that the contract switches on."""

from collections.abc import Iterator

from setpoint.contract.contract import Contract
from setpoint.facts.profile import Profile
from setpoint.facts.signal import Signal
from setpoint.monitor.answered import Answered, AtRelease, Outcomes
from setpoint.monitor.counting import count_columns
from setpoint.monitor.drift import drift_signals
from setpoint.monitor.drop import drop_signal
from setpoint.monitor.errors import error_signal
from setpoint.monitor.latency import latency_signals
from setpoint.monitor.nulls import null_signals
from setpoint.monitor.performance import performance_signals
from setpoint.monitor.prediction_drift import prediction_signal
from setpoint.monitor.ranges import range_signals


def signals(
    contract: Contract,
    profile: Profile,
    answered: Answered,
    *,
    matured: Answered | None = None,
    outcomes: Outcomes | None = None,
    at_release: AtRelease | None = None,
) -> tuple[Signal, ...]:
    """Return every signal that `monitor.signals` switches on; nothing raises for bad rows.

    Args:
        contract: Names what is watched, and the limits.
        profile: Reference of the version that answered; its column `prediction` is of the answers.
        answered: The window.
        matured: The window whose labels are due by now, for performance; `answered` unless given.
        outcomes: All labelled rows since the version's release, for `performance.drop`; without them that
            signal is not measured.
        at_release: The version's value at its release; None where it is not known.

    Returns:
        `drift.share`, `drift.<column>`, `ranges.<column>`, `nulls.<column>`, `prediction.drift`,
        `performance.<metric>`, `performance.coverage`, `performance.drop`, `errors.rate` and `latency.*`,
        as far as they are on and the window can have them. What could not be measured is `inconclusive`
        (too few rows or labels) or `error` (the rows are not of a kind that can be measured), with the reason.
    """
    return tuple(_signals(contract, profile, answered, matured or answered, outcomes, at_release))


def _signals(
    contract: Contract,
    profile: Profile,
    answered: Answered,
    matured: Answered,
    outcomes: Outcomes | None,
    at_release: AtRelease | None,
) -> Iterator[Signal]:
    watched = set(contract.monitor.signals)
    if watched & {"drift", "nulls"}:
        counted = count_columns(profile, answered.table, answered.withheld)
        if "drift" in watched:
            yield from drift_signals(contract, answered, counted)
            yield from range_signals(contract, answered, counted)
        if "nulls" in watched:
            yield from null_signals(contract, answered, counted)
    if "prediction" in watched:
        yield prediction_signal(contract, profile, answered)
    if "performance" in watched:
        yield from performance_signals(contract, matured)
        if outcomes is not None:
            yield drop_signal(contract, answered.window, outcomes, at_release)
    if "errors" in watched and answered.failed is not None:
        yield error_signal(contract, answered)
    if "latency" in watched and answered.latency_s is not None:
        yield from latency_signals(contract, answered)
