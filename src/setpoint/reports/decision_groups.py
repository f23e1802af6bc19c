"""Decisions as people read them: the same one again and again is told once."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from setpoint.facts.decision import Action, Decision

_SILENT: Final[frozenset[Action]] = frozenset({"wait", "check"})  # nothing was decided


@dataclass(frozen=True)
class DecisionGroup:
    """One decision, and how often it was taken again for the same reason right afterwards.

    Args:
        first: The first of them.
        times: How many there are.
        last_at: Tick of the last.
    """

    first: Decision
    times: int
    last_at: float


def grouped(decisions: Iterable[Decision]) -> Sequence[DecisionGroup]:
    """Return what was decided, in order; neighbours of one action, reason, version and attempt are one."""
    groups: list[DecisionGroup] = []
    for decision in decisions:
        if decision.action in _SILENT:
            continue
        if groups and _same(groups[-1].first, decision):
            last = groups.pop()
            groups.append(DecisionGroup(last.first, last.times + 1, decision.at))
        else:
            groups.append(DecisionGroup(decision, 1, decision.at))
    return groups


def _same(one: Decision, other: Decision) -> bool:
    def what(decision: Decision) -> tuple[object, ...]:
        return decision.action, decision.reason, decision.version, decision.attempt

    return what(one) == what(other)
