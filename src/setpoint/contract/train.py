"""The section `train`: how a candidate is made."""

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field

from setpoint.contract.section import Number, Param, Section, Text, Whole
from setpoint.contract.shares import Share
from setpoint.contract.sizes import Size
from setpoint.contract.spans import Duration, Part


class Split(Section):
    """Which rows are for fitting, for tuning and for judging. A row keeps its part for life."""

    by: Literal["auto", "time", "hash"] = Field(
        "auto",
        description="time: later rows judge; hash: by key or row; auto: time where there is data.time, else hash.",
    )
    validation: Share = Field(Share(0.2), description="Share of rows that tuning may look at.")
    test: Part = Field(Part(share=0.2), description="Rows that gates judge by: 20% or 1000 rows.")
    newest: Annotated[Whole, Field(ge=1)] | None = Field(
        None,
        description="Where rows stand in order of time: at most so many are test, the newest, so that a candidate "
        "learns from recent rows too.",
    )


class Tune(Section):
    """Search for better parameters."""

    trials: Annotated[Whole, Field(ge=1)] = Field(30, description="How many settings to try.")
    space: Mapping[str, tuple[Param, ...]] = Field(
        {}, description="By parameter: [lowest, highest] of a number, or all choices."
    )


class Limits(Section):
    """What a fit may take before it is stopped."""

    time: Duration = Field(Duration(600), description="Longest time of a fit.")
    memory: Size = Field(Size(4 * 10**9), description="Most memory of a fit.")


class Train(Section):
    """How a candidate is made."""

    estimator: Text = Field(
        "auto",
        description="auto, a class such as sklearn.ensemble.RandomForestClassifier, or module:function.",
    )
    params: Mapping[str, Param] = Field({}, description="Parameters of the estimator.")
    command: Text | None = Field(
        None, description="A command that trains and logs to MLflow itself."
    )
    tune: Tune | None = Field(None, description="Search for better parameters.")
    split: Split = Field(Split(), description="Which rows fit, tune and judge.")
    threshold: Annotated[Number, Field(gt=0, lt=1)] = Field(
        0.5, description="A binary answer is positive at this probability or above."
    )
    seed: Annotated[Whole, Field(le=2**32 - 1)] = Field(7, description="Seed of everything random.")
    limits: Limits = Field(Limits(), description="What a fit may take before it is stopped.")
