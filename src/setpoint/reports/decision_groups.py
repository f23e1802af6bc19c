"""Decisions as people read them: one story for each attempt, and the same decision again and again told once."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from setpoint.facts.decision import Action, Decision
from setpoint.facts.verdict import Verdict
from setpoint.reports.wording import say_interval, say_number

_SILENT: Final[frozenset[Action]] = frozenset({"wait", "check"})  # nothing was decided
_OF_A_VERSION: Final[frozenset[Action]] = frozenset(
    {"release", "advance", "weigh", "hold", "promote", "roll_back"}
)
_KINDS: Final[dict[Action, str]] = {
    "promote": "promoted",
    "refuse": "refused",
    "roll_back": "rolled back",
    "block": "data",
    "admit": "data",
    "accept": "data",
    "alert": "alert",
}


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


@dataclass(frozen=True)
class Story:
    """What became of one attempt, or one decision that belongs to none.

    Args:
        steps: Its decisions in order; at least one.
        kind: `promoted`, `refused`, `rolled back`, `data`, `alert` or `other`, to choose by.
    """

    steps: tuple[DecisionGroup, ...]
    kind: str

    @property
    def outcome(self) -> Decision:
        """The decision that it came to: the last one."""
        return self.steps[-1].first

    @property
    def why(self) -> str:
        """Why it came to that: what the gates said of a promoted candidate, else the reason of the outcome."""
        judged = self._step("judge")
        if self.outcome.action not in ("promote", "register", "release") or judged is None:
            return self.outcome.reason
        numbers = "; ".join(map(_measured, judged.verdicts))
        return f"{judged.reason}: {numbers}" if numbers else judged.reason

    @property
    def before(self) -> str:
        """What opened it and what was fitted, in one line; empty where the outcome is all there is."""
        told = (self._step("retrain"), self._step("fit"))
        return " · ".join(one.reason for one in told if one and one is not self.outcome)

    def _step(self, action: Action) -> Decision | None:
        return next((step.first for step in self.steps if step.first.action == action), None)


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


def stories(decisions: Sequence[Decision]) -> Sequence[Story]:
    """Return one story for each attempt, where it began, and one for each decision that belongs to none."""
    attempts = {one.version: one.attempt for one in decisions if one.action == "register"}
    found: dict[str, list[DecisionGroup]] = {}
    for i, group in enumerate(grouped(decisions)):
        found.setdefault(_attempt(group.first, attempts) or f"#{i}", []).append(group)
    return [Story(tuple(steps), _kind(steps)) for steps in found.values()]


def _attempt(decision: Decision, attempts: Mapping[int | None, str]) -> str:
    if decision.attempt or decision.action not in _OF_A_VERSION:
        return decision.attempt
    return attempts.get(decision.version, "") if decision.version is not None else ""


def _kind(steps: Sequence[DecisionGroup]) -> str:
    found = [_KINDS[step.first.action] for step in steps if step.first.action in _KINDS]
    return found[-1] if found else "other"


def _measured(verdict: Verdict) -> str:
    between = f" ({say_interval(verdict.interval)})" if verdict.interval else ""
    return f"{verdict.subject} {say_number(verdict.observed)}{between}"


def _same(one: Decision, other: Decision) -> bool:
    def what(decision: Decision) -> tuple[object, ...]:
        return decision.action, decision.reason, decision.version, decision.attempt

    return what(one) == what(other)
