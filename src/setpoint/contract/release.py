"""The section `release`: how a candidate that passed its gates gets the traffic, and when it loses it."""

from collections.abc import Mapping
from itertools import pairwise
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import Discriminator, Field, GetJsonSchemaHandler, Tag, model_validator
from pydantic_core import CoreSchema

from setpoint.contract.metrics import MetricName
from setpoint.contract.model import Risk
from setpoint.contract.section import Section, Whole, refuse
from setpoint.contract.shares import Change, Share
from setpoint.contract.spans import Duration, Span

Strategy = Literal["direct", "canary", "blue_green", "shadow", "ab", "bandit"]
Quantile = Literal["p50", "p95", "p99"]
_QUANTILES: tuple[Quantile, ...] = ("p50", "p95", "p99")


class Step(Section):
    """One step of a release. Written as `5%`, or as `{traffic: 5%, for: 24h}`."""

    traffic: Share = Field(description="Share of traffic that the challenger gets.")
    hold: Span | None = Field(None, alias="for", description="How long the step lasts at least.")

    @model_validator(mode="before")
    @classmethod
    def _from_share(cls, raw: Any) -> Any:
        return {"traffic": raw} if isinstance(raw, str | int | float) else raw

    @classmethod
    def __get_pydantic_json_schema__(
        cls, core: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        """Tell editors that a share alone is a step too."""
        written = handler.resolve_ref_schema(handler(core))
        return {"anyOf": [*Share.json_forms, written], "description": cls.__doc__}

    @model_validator(mode="after")
    def _moves_traffic(self) -> Self:
        if float(self.traffic) == 0.0:
            raise refuse(
                "a step without traffic shows nothing", allowed="more than 0%", at="traffic"
            )
        return self


class ErrorRateGuardrail(Section):
    """Roll back when the challenger leaves more requests unanswered than this."""

    kind: ClassVar[str] = "error_rate"
    error_rate: Share = Field(description="Largest share of requests without an answer.")

    @property
    def subject(self) -> str:
        """The guardrail as the contract writes it."""
        return f"error_rate max {self.error_rate}"


class LatencyGuardrail(Section):
    """Roll back when the challenger answers slower than this. Exactly one of the three is given."""

    kind: ClassVar[str] = "latency"
    latency_p50: Duration | None = Field(None, description="Largest median time to answer.")
    latency_p95: Duration | None = Field(None, description="Largest 95th percentile.")
    latency_p99: Duration | None = Field(None, description="Largest 99th percentile.")

    @model_validator(mode="after")
    def _names_one(self) -> Self:
        given = [q for q in _QUANTILES if getattr(self, f"latency_{q}") is not None]
        if len(given) != 1:
            raise refuse(
                "a guardrail names exactly one quantile", allowed="one key in each guardrail"
            )
        return self

    @property
    def quantile(self) -> Quantile:
        """Which quantile is limited."""
        return next(q for q in _QUANTILES if getattr(self, f"latency_{q}") is not None)

    @property
    def limit(self) -> Duration:
        """The limit, in seconds."""
        limit: Duration = getattr(self, f"latency_{self.quantile}")
        return limit

    @property
    def subject(self) -> str:
        """The guardrail as the contract writes it."""
        return f"latency_{self.quantile} max {self.limit}"


class SkewGuardrail(Section):
    """Roll back when the challenger's live answers differ from those on its own test rows."""

    kind: ClassVar[str] = "serving_skew"
    serving_skew: Share = Field(
        description="Largest total variation distance from its own test rows."
    )

    @property
    def subject(self) -> str:
        """The guardrail as the contract writes it."""
        return f"serving_skew max {self.serving_skew}"


class OutcomeGuardrail(Section):
    """Roll back when outcomes show the challenger to be worse than the champion by more than this."""

    kind: ClassVar[str] = "outcome"
    outcome: MetricName = Field(description="The metric that outcomes are judged by.")
    not_worse_by: Change = Field(description="How much worse it may be: 2% or 0.02 abs.")
    after: Span | None = Field(None, description="How long after promotion it is still watched.")

    @property
    def subject(self) -> str:
        """The guardrail as the contract writes it."""
        return f"{self.outcome} of outcomes not_worse_by {self.not_worse_by}"


GUARDRAIL_KEYS = (
    "error_rate",
    "latency_p50",
    "latency_p95",
    "latency_p99",
    "serving_skew",
    "outcome",
)


def _guardrail_kind(raw: Any) -> str | None:
    if isinstance(raw, ErrorRateGuardrail | LatencyGuardrail | SkewGuardrail | OutcomeGuardrail):
        return f"<{raw.kind}>"
    if isinstance(raw, Mapping):
        for key in GUARDRAIL_KEYS:
            if key in raw:
                return f"<{key.split('_p')[0]}>"
    return None


Guardrail = Annotated[
    Annotated[ErrorRateGuardrail, Tag("<error_rate>")]
    | Annotated[LatencyGuardrail, Tag("<latency>")]
    | Annotated[SkewGuardrail, Tag("<serving_skew>")]
    | Annotated[OutcomeGuardrail, Tag("<outcome>")],
    Discriminator(
        _guardrail_kind,
        custom_error_type="kind",
        custom_error_message="is not a guardrail",
        custom_error_context={
            "allowed": "a mapping with one of " + ", ".join(GUARDRAIL_KEYS),
            "keys": " ".join(GUARDRAIL_KEYS),
        },
    ),
]
"""What rolls a release back; told apart by the key that is present."""


class Approvals(Section):
    """Which models need how many people's approval before release."""

    risk: Risk = Field("high", description="Models of this risk or above need approval.")
    people: Annotated[Whole, Field(ge=1)] = Field(1, description="How many people must approve.")


def _shares(*shares: float) -> tuple[Step, ...]:
    return tuple(Step(traffic=Share(share)) for share in shares)


_EVEN = 0.5
_STEPS = _shares(0.05, 0.2, 0.5, 1.0)
_STEPS_OF: Mapping[str, tuple[Step, ...]] = {
    "blue_green": _shares(1.0),
    "ab": _shares(0.5, 1.0),
    "bandit": _shares(0.1, 1.0),
}


class Release(Section):
    """How a candidate that passed its gates gets the traffic, and when it loses it."""

    strategy: Strategy = Field(
        "canary",
        description="How traffic moves. direct: at once. canary: by steps. shadow: copies of requests, by steps; "
        "nobody is given the answers. blue_green: in one switch, once every gateway is ready. ab: one split, until "
        "outcomes tell. bandit: as outcomes tell. Without data.time the default is direct.",
    )
    steps: tuple[Step, ...] = Field(
        _STEPS,
        description="Shares of traffic, rising to 100%: 5%, or {traffic: 5%, for: 24h}. Of shadow: shares of "
        "requests that are copied. Of ab: the first is the challenger's share (default 50%). Of bandit: the first is "
        "the least share of either version (default 10%). Of blue_green: 100% alone.",
    )
    min_requests: Annotated[Whole, Field(ge=1)] = Field(
        500,
        description="Requests of the smaller arm that each step must see. Of bandit also: known outcomes of each arm "
        "before shares move.",
    )
    max_duration: Span = Field(
        Span(604800, "seconds"),
        description="Longest release; then on_inconclusive decides. Without data.time: 50000 rows.",
    )
    guardrails: tuple[Guardrail, ...] = Field(
        (ErrorRateGuardrail(error_rate=Share(0.01)),), description="What rolls a release back."
    )
    on_inconclusive: Literal["hold", "rollback", "promote"] = Field(
        "hold", description="What happens when the time is up without a verdict."
    )
    approvals: Approvals = Field(Approvals(), description="Who must approve a release.")

    @model_validator(mode="after")
    def _steps_of_the_strategy(self) -> Self:
        """Take the default steps of the strategy; the section is frozen from then on."""
        if "steps" not in self.model_fields_set:
            self.__dict__.update(steps=_STEPS_OF.get(self.strategy, _STEPS))
        return self

    @model_validator(mode="after")
    def _splits(self) -> Self:
        first = float(self.steps[0].traffic) if self.steps else 1.0
        if self.strategy == "ab" and first >= 1.0:
            raise refuse("an A/B test needs a split", allowed="[50%, 100%]", at="steps")
        if self.strategy == "bandit" and first > _EVEN:
            raise refuse(
                "both versions of a bandit need a share",
                allowed="a least share of up to 50%, such as [10%, 100%]",
                at="steps",
            )
        return self

    @model_validator(mode="after")
    def _steps_rise(self) -> Self:
        shares = [float(step.traffic) for step in self.steps]
        if not shares or shares[-1] != 1.0:
            raise refuse("the last step is not all traffic", allowed="steps up to 100%", at="steps")
        if any(after <= before for before, after in pairwise(shares)):
            raise refuse("steps do not rise", allowed="each share larger than the last", at="steps")
        return self
