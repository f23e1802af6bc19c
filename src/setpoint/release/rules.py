"""The contract's section `release` as the state machine reads it: plain numbers, all lengths in ticks."""

from dataclasses import dataclass
from typing import Literal

from setpoint.clock import Axis
from setpoint.contract.metrics import METRICS
from setpoint.contract.release import (
    ErrorRateGuardrail,
    Guardrail,
    LatencyGuardrail,
    OutcomeGuardrail,
    Release,
)
from setpoint.contract.spans import Span
from setpoint.errors import UsageError
from setpoint.facts.deployment import Strategy


@dataclass(frozen=True)
class ErrorRateRule:
    """Share of requests without an answer.

    Args:
        subject: The guardrail as the contract writes it.
        limit: Largest share, 0 to 1.
    """

    subject: str
    limit: float


@dataclass(frozen=True)
class LatencyRule:
    """A quantile of the time to answer.

    Args:
        subject: The guardrail as the contract writes it.
        quantile: Which quantile, 0.5 to 0.99.
        limit_s: Largest value of the quantile, in seconds.
    """

    subject: str
    quantile: float
    limit_s: float


@dataclass(frozen=True)
class OutcomeRule:
    """How much worse outcomes may be, as a line over the champion's loss.

    The challenger keeps the rule while `loss <= slope * champion's loss + offset`, both mean losses in [0, 1]:
    a relative or absolute margin, on a metric where higher or lower is better, is one such line.

    Args:
        subject: The guardrail as the contract writes it.
        slope: Factor of the champion's loss.
        offset: Loss that is allowed beyond it.
        after: Ticks after promotion for which it is watched; None where it is judged during the release.
    """

    subject: str
    slope: float
    offset: float
    after: float | None = None


@dataclass(frozen=True)
class MeasuredRule:
    """A guardrail that another room measures; its verdict comes in by its subject."""

    subject: str


GuardrailRule = ErrorRateRule | LatencyRule | OutcomeRule | MeasuredRule


@dataclass(frozen=True)
class StepRule:
    """One step: the challenger's share of traffic, and the ticks it lasts at least."""

    share: float
    hold: float = 0.0


@dataclass(frozen=True)
class ReleaseRules:
    """How a release goes.

    Args:
        strategy: How the release goes.
        steps: Shares of traffic, or of copies, rising; the last is 1.
        min_requests: Requests of the smaller arm that each step must see.
        max_duration: Longest release, in ticks.
        guardrails: What rolls it back.
        on_inconclusive: What happens when the time is up without a verdict.
        primary: The metric that an A/B test or a bandit is about, by name; judged by the loss of single answers.
        alpha: Probability of rolling back an equal challenger in one release, at most; and of promoting one that
            breaks a limit.
    """

    strategy: Strategy
    steps: tuple[StepRule, ...]
    min_requests: int
    max_duration: float
    guardrails: tuple[GuardrailRule, ...]
    on_inconclusive: Literal["hold", "rollback", "promote"]
    primary: str = "loss"
    alpha: float = 0.05


def release_rules(
    release: Release,
    *,
    axis: Axis,
    loss_scale: float = 1.0,
    wall_clock: bool = True,
    primary: str | None = None,
) -> ReleaseRules:
    """Return the rules that the section `release` states.

    Args:
        release: The section.
        axis: The contract's axis.
        loss_scale: What absolute errors are divided by to be losses in [0, 1], in the target's unit; 1 for classes.
        wall_clock: Whether the time to answer is measured; without it, guardrails over it are left out.
        primary: The metric that the model is watched by; that of an outcome guardrail goes before it.

    Raises:
        UsageError: A length is not on `axis`.
    """
    return ReleaseRules(
        strategy=release.strategy,
        steps=tuple(
            StepRule(float(step.traffic), 0.0 if step.hold is None else _ticks(step.hold, axis))
            for step in release.steps
        ),
        min_requests=int(release.min_requests),
        max_duration=_ticks(release.max_duration, axis),
        guardrails=tuple(
            _rule(rail, axis, loss_scale)
            for rail in release.guardrails
            if wall_clock or not isinstance(rail, LatencyGuardrail)
        ),
        on_inconclusive=release.on_inconclusive,
        primary=next(
            (one.outcome for one in release.guardrails if isinstance(one, OutcomeGuardrail)),
            primary or "loss",
        ),
    )


def _rule(rail: Guardrail, axis: Axis, loss_scale: float) -> GuardrailRule:
    if isinstance(rail, ErrorRateGuardrail):
        return ErrorRateRule(rail.subject, float(rail.error_rate))
    if isinstance(rail, LatencyGuardrail):
        return LatencyRule(rail.subject, int(rail.quantile[1:]) / 100, float(rail.limit))
    if isinstance(rail, OutcomeGuardrail):
        return _outcome_rule(rail, axis, loss_scale)
    return MeasuredRule(rail.subject)


def _outcome_rule(rail: OutcomeGuardrail, axis: Axis, loss_scale: float) -> OutcomeRule:
    margin = rail.not_worse_by
    after = None if rail.after is None else _ticks(rail.after, axis)
    if not margin.relative:
        return OutcomeRule(rail.subject, 1.0, margin.value / loss_scale, after)
    if METRICS[rail.outcome].better == "higher":  # value = 1 - loss may fall to (1 - r) of itself
        return OutcomeRule(rail.subject, 1.0 - margin.value, margin.value, after)
    return OutcomeRule(rail.subject, 1.0 + margin.value, 0.0, after)


def _ticks(span: Span, axis: Axis) -> float:
    if (span.unit == "rows") != (axis == "rows"):
        want = "1000 rows" if axis == "rows" else "24h"
        msg = f"{span} is not a length on the axis {axis} of this contract; write it as {want!r}"
        raise UsageError(msg)
    return span.value
