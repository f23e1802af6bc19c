"""The section `monitor`: what is watched, over which windows, and what counts as a breach."""

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field

from setpoint.contract.cron import Cron
from setpoint.contract.metrics import MetricName
from setpoint.contract.section import Distinct, Number, Section, Text, Whole
from setpoint.contract.shares import Change, Share
from setpoint.contract.spans import Duration, Span

Watched = Literal["drift", "prediction", "performance", "latency", "errors", "nulls"]
_ALL: tuple[Watched, ...] = ("drift", "errors", "latency", "nulls", "performance", "prediction")


class Drift(Section):
    """When a column, and when the table, counts as drifted."""

    effect: Share = Field(
        Share(0.1),
        description="Smallest total variation distance that matters; natural swings of the reference raise it.",
    )
    significance: Share = Field(Share(0.05), description="False discovery rate over the columns.")
    min_rows: Whole = Field(500, description="Fewer rows in a window are inconclusive.")
    share: Share = Field(Share(0.3), description="Share of drifted columns that is a breach.")


class Performance(Section):
    """When the model counts as worse than it was."""

    metric: MetricName | None = Field(
        None, description="What is watched; by default the task's own."
    )
    drop: Change = Field(
        Change(0.05, relative=True),
        description="Fall below the value at release that is a breach: 5% or 0.05 abs.",
    )
    min: Number | None = Field(None, description="Floor: a metric surely below it is a breach.")
    max: Number | None = Field(None, description="Ceiling, for metrics where lower is better.")
    label_delay: Span | None = Field(None, description="How long after its row a label is known.")
    min_coverage: Share = Field(
        Share(0.5), description="Fewer known outcomes in a window are inconclusive."
    )


class Slo(Section):
    """Service level objectives of the gateway."""

    availability: Share | None = Field(None, description="Share of requests that are answered.")
    latency_p95: Duration | None = Field(None, description="95th percentile of the time to answer.")
    latency_p99: Duration | None = Field(None, description="99th percentile of the time to answer.")


class Monitor(Section):
    """What is watched, over which windows, and what counts as a breach."""

    source: Text = Field(
        "gateway",
        description="gateway, or the log of a model that something else serves: path, sql:…",
    )
    map: Mapping[str, Text] = Field(
        {}, description="By our name (features, time, id, prediction): the name in that log."
    )
    schedule: Cron = Field(
        Cron("0 * * * *"), description="When to look, as five cron fields in UTC."
    )
    window: Span = Field(
        Span(86400, "seconds"),
        description="Rows that are looked at together. Without data.time: 1000 rows.",
    )
    signals: Annotated[tuple[Watched, ...], Distinct] = Field(
        _ALL, description="Which signals are on."
    )
    drift: Drift = Field(Drift(), description="When a column, and when the table, has drifted.")
    performance: Performance = Field(
        Performance(), description="When the model is worse than it was."
    )
    slo: Slo = Field(Slo(), description="Service level objectives of the gateway.")
