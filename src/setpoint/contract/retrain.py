"""The section `retrain`: when a new candidate is made, from which rows, and how often at most."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import Discriminator, Field, Tag

from setpoint.contract.conditions import Condition
from setpoint.contract.cron import Cron
from setpoint.contract.history import History
from setpoint.contract.scalar import Scalar, ScalarError
from setpoint.contract.section import Section, Whole
from setpoint.contract.shares import Change
from setpoint.contract.spans import Period, Span

_NOT_WORSE = re.compile(r"\s*not_worse_by\s*:?\s+(.+)", re.ASCII)


class ScheduleTrigger(Section):
    """Retrain at fixed times."""

    schedule: Cron = Field(description="When, as five cron fields in UTC.")


class ForecastTrigger(Section):
    """Retrain before a condition is expected to hold."""

    forecast: Condition = Field(description="The condition that is foreseen.")
    within: Span = Field(description="How far ahead to look.")


def _trigger_kind(raw: Any) -> str | None:
    if isinstance(raw, str | Condition):
        return "<condition>"
    if isinstance(raw, ScheduleTrigger) or (isinstance(raw, Mapping) and "schedule" in raw):
        return "<schedule>"
    if isinstance(raw, ForecastTrigger) or (isinstance(raw, Mapping) and "forecast" in raw):
        return "<forecast>"
    return None


Trigger = Annotated[
    Annotated[Condition, Tag("<condition>")]
    | Annotated[ScheduleTrigger, Tag("<schedule>")]
    | Annotated[ForecastTrigger, Tag("<forecast>")],
    Discriminator(
        _trigger_kind,
        custom_error_type="kind",
        custom_error_message="is not a trigger",
        custom_error_context={
            "allowed": "a condition such as drift.share > 30%, or {schedule: …}, "
            "or {forecast: …, within: …}",
            "keys": "schedule forecast",
        },
    ),
]
"""A condition, a schedule, or a forecast of a condition."""


@dataclass(frozen=True, slots=True)
class Acceptance(Scalar):
    """What a retrained candidate must show against the champion.

    Args:
        rule: `beats_champion` (the gates as written) or `not_worse_by` a margin.
        margin: How much worse it may be, for `not_worse_by`; None otherwise.
    """

    rule: Literal["beats_champion", "not_worse_by"] = "beats_champion"
    margin: Change | None = None

    allowed: ClassVar[str] = "beats_champion, or {not_worse_by: 2%}"
    json_forms: ClassVar = (
        {"type": "string", "enum": ["beats_champion"]},
        {"type": "string", "pattern": r"^\s*not_worse_by\s*:?\s+.+$"},
        {
            "type": "object",
            "properties": {"not_worse_by": {"type": "string"}},
            "required": ["not_worse_by"],
            "additionalProperties": False,
        },
    )

    @classmethod
    def read(cls, raw: object) -> Self:
        """Return the rule that a text, or a mapping with `not_worse_by`, says."""
        if raw == "beats_champion":
            return cls()
        margin: object = None
        if isinstance(raw, Mapping) and set(raw) == {"not_worse_by"}:
            margin = raw["not_worse_by"]
        elif isinstance(raw, str) and (match := _NOT_WORSE.fullmatch(raw)):
            margin = match[1].strip()
        if margin is None:
            raise ScalarError("is not a rule of acceptance", allowed=cls.allowed)
        return cls("not_worse_by", Change.read(margin))

    def __str__(self) -> str:
        return self.rule if self.margin is None else f"not_worse_by: {self.margin}"


class Budget(Section):
    """How often a retrain may start, at most."""

    runs: Annotated[Whole, Field(ge=1)] = Field(4, description="Retrains in one period.")
    per: Period = Field(
        Span(86400, "seconds"),
        description="The period: hour, day, week or 24h. Without data.time: 10000 rows.",
    )


class Retrain(Section):
    """When a new candidate is made, from which rows, and how often at most."""

    when: tuple[Trigger, ...] = Field((), description="Each starts a retrain; none: only by hand.")
    data: History = Field(
        History("all"),
        description="Rows to learn from: all, since_change, last 50000 rows, last 90d.",
    )
    accept: Acceptance = Field(
        Acceptance(),
        description="What it must show against the champion: beats_champion or {not_worse_by: 2%}.",
    )
    cooldown: Span = Field(
        Span(21600, "seconds"),
        description="Shortest span between two retrains. Without data.time: 1000 rows.",
    )
    budget: Budget = Field(Budget(), description="How often a retrain may start, at most.")
