"""Collects the drift of each column in each window, for the heat map of a replay."""

from collections.abc import Mapping

from setpoint.facts.replay import DriftCell
from setpoint.facts.signal import Signal

_PREFIX = "drift."


class Heat:
    """The cells of the heat map so far."""

    def __init__(self) -> None:
        self.cells: list[DriftCell] = []

    def see(self, window: Mapping[str, Signal]) -> None:
        """Take the drift signals of one window."""
        self.cells.extend(
            DriftCell(
                column=name.removeprefix(_PREFIX),
                start=signal.window.start,
                end=signal.window.end,
                distance=signal.value,
                verdict=signal.verdict.verdict,
            )
            for name, signal in window.items()
            if name.startswith(_PREFIX) and name != "drift.share"
        )
