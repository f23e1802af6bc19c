"""What the loop saw at its last look at production, in few numbers: what dashboards show beside a gateway's own."""

from collections.abc import Iterable

import msgspec

from setpoint.facts.signal import Signal


class Watched(msgspec.Struct, frozen=True, kw_only=True):
    """The signals of one window.

    Args:
        model: Name of the model.
        version: The version that answered in the window.
        at: When the loop looked, in seconds since 1970-01-01 UTC.
        values: Value by signal, of those that were measured.
        failing: Signals that surely break their limit.
        psi: Population stability index by column, of those whose drift was measured.
    """

    model: str
    version: int
    at: float
    values: dict[str, float]
    failing: tuple[str, ...] = ()
    psi: dict[str, float] = {}


def watched_of(model: str, at: float, signals: Iterable[Signal]) -> Watched:
    """Return the signals of one window in few numbers.

    Args:
        model: Name of the model.
        at: When the loop looked, in seconds since 1970-01-01 UTC.
        signals: All of one window, at least one.
    """
    found = sorted(signals, key=lambda one: one.name)
    drift = [one for one in found if one.name.startswith("drift.")]
    return Watched(
        model=model,
        version=found[0].window.version,
        at=at,
        values={one.name: one.value for one in found if one.value is not None},
        failing=tuple(one.name for one in found if one.verdict.verdict == "fail"),
        psi={
            column: numbers["psi"]
            for one in drift
            for column, numbers in one.numbers.items()
            if "psi" in numbers
        },
    )
