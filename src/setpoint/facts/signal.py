"""A signal: a measured quantity over a window, with its own verdict against the contract."""

import msgspec

from setpoint.facts.verdict import Verdict


class Window(msgspec.Struct, frozen=True, kw_only=True):
    """A half-open stretch of the loop's axis, answered by one version."""

    start: float
    end: float
    version: int = 0
    rows: int = 0


class Signal(msgspec.Struct, frozen=True, kw_only=True):
    """One measured quantity.

    Args:
        name: As conditions of the contract name it, such as `drift.share` or `performance.drop`.
        window: Over which rows.
        value: The measured value; None where it could not be measured.
        verdict: Its verdict against the contract.
        parts: Verdict by column, for signals that sum up many.
        numbers: Further statistics that are reported beside it, by column.
    """

    name: str
    window: Window
    value: float | None
    verdict: Verdict
    parts: tuple[Verdict, ...] = ()
    numbers: dict[str, dict[str, float]] = {}
