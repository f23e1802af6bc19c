"""The section `gates`: the checks that a candidate must pass, told apart by the keys that are present.

A limit (`min`, `max`, `between`) judges the observed value, and its interval where `confidence` is given. A
comparison (`beats_champion`, `not_worse_by`, `beats`) always judges the interval. Every gate has `kind`, which names
its rule, and `subject`, which is the gate as people write it.
"""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import Discriminator, Field, Tag, model_validator

from setpoint.contract.metrics import Average, Baseline, FairnessMetric, MetricName
from setpoint.contract.section import Number, Section, Text, refuse
from setpoint.contract.shares import Change, Share, plain_decimal
from setpoint.contract.sizes import Size
from setpoint.contract.spans import Duration

_CONFIDENCE = "Judge by the interval at this confidence; without it, by the observed value."
_COMPARED = "Confidence of the interval that is judged."
_EVEN = 0.5  # below it an interval says less than a coin
_AVERAGE = "How per-class values are averaged; binary tasks: binary, others: macro."
_THRESHOLD = "A binary answer is positive at this probability or above; else train.threshold."

Threshold = Annotated[Number, Field(gt=0, lt=1)]


class _Metric(Section):
    """What all gates over a metric share."""

    metric: MetricName = Field(description="The metric that is judged.")
    average: Average | None = Field(None, description=_AVERAGE)
    threshold: Threshold | None = Field(None, description=_THRESHOLD)

    @property
    def measured(self) -> str:
        """The metric as people write it, with its average where one is given."""
        return self.metric if self.average is None else f"{self.metric} ({self.average})"


class _Limits(Section):
    """What all gates with limits share: at least one of `min`, `max`, or `between` alone."""

    min: Number | None = Field(None, description="Smallest allowed value.")
    max: Number | None = Field(None, description="Largest allowed value.")
    between: tuple[Number, Number] | None = Field(None, description="[smallest, largest] allowed.")
    confidence: Share | None = Field(None, description=_CONFIDENCE)

    @model_validator(mode="after")
    def _limited(self) -> Self:
        if self.min is None and self.max is None and self.between is None:
            raise refuse("a limit is missing", allowed="min, max or between")
        if self.between is not None and (self.min is not None or self.max is not None):
            raise refuse("between stands beside min or max", allowed="one of both", at="between")
        low, high = self.bounds
        if low is not None and high is not None and low > high:
            raise refuse(
                f"{low:g} is larger than {high:g}", at="between" if self.between else "min"
            )
        if self.confidence is not None:
            _require_confidence(self.confidence)
        return self

    @property
    def bounds(self) -> tuple[float | None, float | None]:
        """Smallest and largest allowed value; None where there is no such limit."""
        return self.between if self.between is not None else (self.min, self.max)

    @property
    def limits(self) -> str:
        """The limits as people write them."""
        low, high = self.bounds
        if low is not None and high is not None:
            return f"between {plain_decimal(low)} and {plain_decimal(high)}"
        return (
            f"min {plain_decimal(low)}" if low is not None else f"max {plain_decimal(high or 0.0)}"
        )


class _Compared(_Metric):
    """What all comparisons share: they judge by an interval."""

    confidence: Share = Field(Share(0.95), description=_COMPARED)

    @model_validator(mode="after")
    def _sure(self) -> Self:
        _require_confidence(self.confidence)
        return self


def _require_confidence(confidence: Share) -> None:
    if not _EVEN <= confidence < 1:
        raise refuse(f"a confidence of {confidence}", allowed="50% to under 100%", at="confidence")


class MetricGate(_Limits, _Metric):
    """A metric within limits, as in `{metric: roc_auc, min: 0.80}`."""

    kind: ClassVar[str] = "metric"

    @property
    def subject(self) -> str:
        """The gate as people write it."""
        return f"{self.measured} {self.limits}"


class BeatsChampionGate(_Compared):
    """Better than the champion by a margin, as in `{metric: f1, beats_champion: 2%}`."""

    kind: ClassVar[str] = "beats_champion"
    beats_champion: Change = Field(description="By how much: 2% of its value, or 0.02 abs.")

    @property
    def subject(self) -> str:
        """The gate as people write it."""
        return f"{self.measured} beats_champion {self.beats_champion}"


class NotWorseGate(_Compared):
    """Not worse than the champion by more than a margin, as in `{metric: f1, not_worse_by: 2%}`."""

    kind: ClassVar[str] = "not_worse_by"
    not_worse_by: Change = Field(description="By how much it may be worse: 2%, or 0.02 abs.")

    @property
    def subject(self) -> str:
        """The gate as people write it."""
        return f"{self.measured} not_worse_by {self.not_worse_by}"


class BeatsBaselineGate(_Compared):
    """Better than an answer that looks at no feature, as in `{metric: accuracy, beats: no_change}`."""

    kind: ClassVar[str] = "beats"
    beats: Baseline = Field(
        description="majority: the most frequent class; mean; no_change: the last known label."
    )
    by: Change = Field(Change(0.0, relative=False), description="By how much: 2%, or 0.02 abs.")

    @property
    def subject(self) -> str:
        """The gate as people write it."""
        margin = f" by {self.by}" if self.by.value else ""
        return f"{self.measured} beats {self.beats}{margin}"


class SlicesGate(_Limits, _Metric):
    """A metric within limits in each group of rows, as in `{slices: [plan], metric: f1, min: 0.60}`."""

    kind: ClassVar[str] = "slices"
    slices: tuple[Text, ...] = Field(
        description="Columns; each value of each column is a group.", min_length=1
    )

    @property
    def subject(self) -> str:
        """The gate as people write it."""
        return f"{self.measured} {self.limits} in each {', '.join(self.slices)}"


class FairnessGate(_Limits):
    """A fairness measure over the groups of a column, within limits."""

    kind: ClassVar[str] = "fairness"
    fairness: FairnessMetric = Field(
        description="disparate_impact is a ratio (1 is equal), the others are differences (0 is equal)."
    )
    attribute: Text = Field(description="Column whose values are the groups.")
    threshold: Threshold | None = Field(None, description=_THRESHOLD)

    @property
    def subject(self) -> str:
        """The gate as people write it."""
        return f"{self.fairness} of {self.attribute} {self.limits}"


class LatencyGate(Section):
    """The time that one row takes as the gateway answers it, as in `{latency: p99, max: 10ms}`."""

    kind: ClassVar[str] = "latency"
    latency: Literal["p50", "p90", "p95", "p99"] = Field(description="Which quantile is limited.")
    max: Duration = Field(description="Largest allowed duration.")

    @property
    def quantile(self) -> float:
        """The quantile as a share, 0.5 to 0.99."""
        return int(self.latency[1:]) / 100

    @property
    def subject(self) -> str:
        """The gate as people write it."""
        return f"latency {self.latency} max {self.max}"


class SizeGate(Section):
    """The size of the model's files, as in `{size: 500MB}`."""

    kind: ClassVar[str] = "size"
    size: Size = Field(description="Largest allowed size.")

    @property
    def subject(self) -> str:
        """The gate as people write it."""
        return f"size max {self.size}"


class InvariantGate(Section):
    """Answers do not depend on a column, as in `{invariant_to: gender}`."""

    kind: ClassVar[str] = "invariant_to"
    invariant_to: Text = Field(description="Column whose values are swapped.")
    max_changed: Share = Field(
        Share(0.0), description="Share of rows whose answer may change when it is swapped."
    )

    @property
    def subject(self) -> str:
        """The gate as people write it."""
        allowed = f" (up to {self.max_changed} of rows)" if self.max_changed else ""
        return f"invariant_to {self.invariant_to}{allowed}"


class DirectionalGate(Section):
    """Answers move the right way when a column is raised or lowered."""

    kind: ClassVar[str] = "directional"
    directional: Text = Field(description="Column that is changed.")
    add: Number = Field(description="What is added to it; below 0 lowers it.")
    prediction: Literal["not_lower", "not_higher", "higher", "lower"] = Field(
        description="How the prediction must move."
    )
    max_violations: Share = Field(
        Share(0.0), description="Share of rows whose answer may move the wrong way."
    )

    @model_validator(mode="after")
    def _changes(self) -> Self:
        if self.add == 0:
            raise refuse("adding 0 changes nothing", allowed="a number other than 0", at="add")
        return self

    @property
    def subject(self) -> str:
        """The gate as people write it."""
        change = f"+{plain_decimal(self.add)}" if self.add > 0 else plain_decimal(self.add)
        return f"{self.directional} {change}: prediction {self.prediction}"


GATE_TYPES: dict[str, type[Section]] = {  # first key that is present decides
    "slices": SlicesGate,
    "fairness": FairnessGate,
    "latency": LatencyGate,
    "size": SizeGate,
    "invariant_to": InvariantGate,
    "directional": DirectionalGate,
    "beats_champion": BeatsChampionGate,
    "not_worse_by": NotWorseGate,
    "beats": BeatsBaselineGate,
    "metric": MetricGate,
}


def _gate_kind(raw: Any) -> str | None:
    if isinstance(raw, Section):
        return next((f"<{key}>" for key, gate in GATE_TYPES.items() if type(raw) is gate), None)
    if isinstance(raw, Mapping):
        return next((f"<{key}>" for key in GATE_TYPES if key in raw), None)
    return None


Gate = Annotated[
    Annotated[SlicesGate, Tag("<slices>")]
    | Annotated[FairnessGate, Tag("<fairness>")]
    | Annotated[LatencyGate, Tag("<latency>")]
    | Annotated[SizeGate, Tag("<size>")]
    | Annotated[InvariantGate, Tag("<invariant_to>")]
    | Annotated[DirectionalGate, Tag("<directional>")]
    | Annotated[BeatsChampionGate, Tag("<beats_champion>")]
    | Annotated[NotWorseGate, Tag("<not_worse_by>")]
    | Annotated[BeatsBaselineGate, Tag("<beats>")]
    | Annotated[MetricGate, Tag("<metric>")],
    Discriminator(
        _gate_kind,
        custom_error_type="kind",
        custom_error_message="is not a gate",
        custom_error_context={
            "allowed": "a mapping with one of " + ", ".join(GATE_TYPES),
            "keys": " ".join(GATE_TYPES),
        },
    ),
]
"""One check of a candidate."""
