"""The section `data`: where rows come from and what they must look like."""

import math
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Literal, Self

from pydantic import Field, PlainValidator, WithJsonSchema, model_validator
from pydantic_core import PydanticCustomError

from setpoint.contract.log_rule import LogRule
from setpoint.contract.section import Flag, Names, Plain, Section, Text, Whole, refuse, whole
from setpoint.contract.shares import Points, Share

ColumnType = Literal["int", "float", "bool", "category", "datetime", "text"]


def _bound(raw: object) -> int | float | str:
    if isinstance(raw, int | float) and not isinstance(raw, bool) and math.isfinite(raw):
        return whole(raw)
    if isinstance(raw, str):
        try:
            datetime.fromisoformat(raw)
        except ValueError:
            pass
        else:
            return raw
    facts = {"message": "is not a bound", "allowed": "a number, or a date such as 2024-01-31"}
    raise PydanticCustomError("scalar", "{message}", facts)


Bound = Annotated[
    int | float | str, PlainValidator(_bound), WithJsonSchema({"type": ["number", "string"]})
]
"""A number, or for datetime columns an ISO 8601 date or date-time."""


class Column(Section):
    """What one column must look like. What is absent is not checked."""

    type: ColumnType | None = Field(None, description="Type of its values.")
    min: Bound | None = Field(None, description="Smallest allowed value.")
    max: Bound | None = Field(None, description="Largest allowed value.")
    values: tuple[Plain, ...] | None = Field(None, description="All allowed values.", min_length=1)
    nulls: Share | None = Field(None, description="Largest share of missing values, such as 1%.")
    unique: Flag = Field(default=False, description="Whether no value may come twice.")
    unit: Text | None = Field(None, description="Unit of its numbers, for people.")
    use: Flag = Field(default=True, description="Whether it is an input of the model.")
    reason: Text | None = Field(None, description="Why it is left out; only with use: false.")
    log: LogRule = Field(LogRule(), description="What the prediction log keeps of it.")

    @model_validator(mode="after")
    def _sound(self) -> Self:
        if self.reason is not None and self.use:
            raise refuse(
                "a reason belongs to a column that is left out", allowed="use: false", at="reason"
            )
        ranged = {"min": self.min, "max": self.max}
        for key, bound in ranged.items():
            if bound is not None:
                self._require_kind(key, bound)
        if self.min is not None and self.max is not None:
            if isinstance(self.min, str) is not isinstance(self.max, str):
                raise refuse("min and max are of different kinds", at="max")
            if _ordinal(self.min) > _ordinal(self.max):
                raise refuse(f"min {self.min} is larger than max {self.max}", at="min")
        self._require_loggable()
        if self.type in {"category", "text"} and self.values is not None:
            loose = [value for value in self.values if isinstance(value, float)]
            if loose:
                raise refuse(
                    f"{loose[0]} is a number here, so 1.10 and 1.1 are the same",
                    allowed="values of a category in quotes",
                    at="values",
                )
        return self

    def _require_loggable(self) -> None:
        how = self.log.how
        if how != "keep" and not self.use:
            raise refuse("a column that is left out is not logged", allowed="no log here", at="log")
        if how == "round" and self.type in {"category", "text", "bool", "datetime"}:
            raise refuse(f"a {self.type} column is not rounded", allowed="first 3, hash", at="log")
        if how == "first" and self.type in {"int", "float", "bool"}:
            raise refuse(
                "a column of numbers has no first characters", allowed="round 10", at="log"
            )

    def _require_kind(self, key: str, bound: float | str) -> None:
        if self.type in {"category", "text", "bool"}:
            raise refuse(f"a {self.type} column has no {key}", allowed="values", at=key)
        if self.type == "datetime" and not isinstance(bound, str):
            raise refuse(f"{key} of a datetime column is a date", allowed="2024-01-31", at=key)
        if self.type in {"int", "float"} and isinstance(bound, str):
            raise refuse(f"{key} of a column of numbers is a number", allowed="a number", at=key)


def _ordinal(bound: float | str) -> float:
    if isinstance(bound, str):
        moment = datetime.fromisoformat(bound)
        return (
            moment.toordinal() * 86400.0 + moment.hour * 3600 + moment.minute * 60 + moment.second
        )
    return bound


class Format(Section):
    """How a text file is written, where that cannot be told from the file alone."""

    separator: Text | None = Field(None, description="What stands between two cells.", max_length=5)
    encoding: Text | None = Field(None, description="Text encoding, such as utf-8 or latin-1.")
    dayfirst: Flag | None = Field(None, description="Whether 01/02/2024 is the first of February.")
    nulls: tuple[str, ...] | None = Field(None, description="Texts that mean a missing value.")
    decimal: Literal[".", ","] | None = Field(None, description="What starts the decimals.")


class LabelShare(Section):
    """How far the share of a label may move between two batches."""

    shift: Points = Field(description="Largest move of any label's share, such as 25 points.")


class Checks(Section):
    """What must hold of every batch as a whole. What is absent is not checked."""

    min_rows: Whole | None = Field(None, description="Fewest rows.")
    unique: Names = Field((), description="Columns whose values together never repeat.")
    label_share: LabelShare | None = Field(None, description="How far label shares may move.")
    duplicates: Share | None = Field(None, description="Largest share of repeated rows.")


class Data(Section):
    """Where rows come from and what they must look like."""

    source: Text = Field(description="Path, glob, s3://…, gs://…, or sql:, delta:, dvc:, feast:.")
    version: Text | None = Field(None, description="Version of the data, for people.")
    target: Text = Field(description="Column to predict.")
    positive: Plain | None = Field(None, description="The positive class of a binary task.")
    time: Text | None = Field(None, description="Column that says when a row happened.")
    key: Text | None = Field(None, description="Column that says whom or what a row is about.")
    protected: Names = Field((), description="Columns that need fair treatment.")
    columns: Mapping[str, Column] = Field({}, description="What each column must look like.")
    checks: Checks = Field(Checks(), description="What must hold of every batch as a whole.")
    format: Format = Field(Format(), description="How a text file is written.")

    @property
    def left_out(self) -> dict[str, str]:
        """Columns that are no input of the model, with the reason (which may be empty)."""
        return {name: col.reason or "" for name, col in self.columns.items() if not col.use}

    @property
    def withheld(self) -> dict[str, str]:
        """What the prediction log keeps of the columns that it does not keep as they are, as text."""
        return {name: str(col.log) for name, col in self.columns.items() if col.log.how != "keep"}
