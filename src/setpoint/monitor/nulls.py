"""Missing values: the share of each column, against the contract or what the reference had.

A column's limit is what the contract says, else the reference's share with room: one point where the reference has
hardly any, else as much again, and at least five points. Chance is accounted for across all columns of a look.
"""

from collections.abc import Sequence

from setpoint.contract.contract import Contract
from setpoint.facts.profile import ColumnProfile
from setpoint.facts.signal import Signal
from setpoint.monitor.answered import Answered
from setpoint.monitor.counting import Counted
from setpoint.monitor.share import Part, no_share, share_signal
from setpoint.stats.effective_size import effective_rows
from setpoint.stats.interval import wilson_interval

_HARDLY_ANY = 0.001
_POINT = 0.01
_ROOM = 0.05


def null_signals(
    contract: Contract, answered: Answered, counted: Sequence[Counted]
) -> list[Signal]:
    """Return `nulls.<column>` for each column of the reference.

    Args:
        contract: Has the limits under `data.columns`, and significance and fewest rows under `monitor.drift`.
        answered: The window.
        counted: Its columns, counted.
    """
    rules = contract.monitor.drift
    columns = contract.data.columns if contract.data is not None else {}
    confidence = 1 - float(rules.significance) / max(len(counted), 1)
    found = []
    for column in counted:
        name = f"nulls.{column.profile.name}"
        if column.counts is None:
            found.append(no_share(name, answered.window, column.ruling, column.problem))
            continue
        declared = columns[column.profile.name].nulls if column.profile.name in columns else None
        limit = _natural(column.profile) if declared is None else float(declared)
        worth = effective_rows(column.rows, column.profile.design_effect)
        part = Part(column.missing, column.rows, worth, confidence)
        found.append(
            share_signal(
                name,
                answered.window,
                part,
                limit=limit,
                min_rows=rules.min_rows,
                words=f"rows have no {column.profile.name} (reference: {column.profile.missing:.2%})",
            )
        )
    return found


def _natural(profile: ColumnProfile) -> float:
    rows = effective_rows(profile.n, profile.design_effect)
    if profile.missing <= _HARDLY_ANY:
        return max(_POINT, wilson_interval(profile.missing * rows, rows)[1])
    return min(1.0, profile.missing + max(_ROOM, profile.missing))
