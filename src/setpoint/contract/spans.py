"""Lengths: wall-clock durations, and spans on the contract's axis, which is time or rows."""

import math
import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, ClassVar, Literal, Self

from pydantic import BeforeValidator, WithJsonSchema

from setpoint.contract.scalar import Scalar, ScalarError
from setpoint.contract.shares import Share, decimal_text, plain_decimal

Unit = Literal["seconds", "rows"]

_SECONDS: dict[str, Decimal] = {
    "us": Decimal("0.000001"),
    "ms": Decimal("0.001"),
    "s": Decimal(1),
    "m": Decimal(60),
    "min": Decimal(60),
    "h": Decimal(3600),
    "d": Decimal(86400),
    "w": Decimal(604800),
}
_CANONICAL = ("d", "h", "m", "s", "ms", "us")  # longest first
_DURATION = re.compile(r"\s*(\d{1,15}(?:\.\d{0,9})?)\s*(us|ms|s|min|m|h|d|w)\s*", re.ASCII)
_ROWS = re.compile(r"\s*(\d{1,15})\s+rows?\s*", re.ASCII)
_PERIODS = {"hour": "1h", "day": "1d", "week": "7d"}
_DURATION_PATTERN = r"^\s*[0-9]+(\.[0-9]*)?\s*(us|ms|s|m|min|h|d|w)\s*$"


def _seconds(text: str) -> float | None:
    match = _DURATION.fullmatch(text)
    return float(Decimal(match[1]) * _SECONDS[match[2]]) if match else None


def _duration_text(seconds: float) -> str:
    exact = Decimal(repr(float(seconds)))
    for unit in _CANONICAL:
        count = exact / _SECONDS[unit]
        if exact and count == count.to_integral_value():
            return f"{int(count)}{unit}"
    return decimal_text(exact) + "s"


class Duration(float, Scalar):
    """A wall-clock duration in seconds, such as `100ms`."""

    __slots__ = ()

    allowed = "a duration such as 100ms, 90s, 30m, 24h or 7d"
    json_forms = ({"type": "string", "pattern": _DURATION_PATTERN},)

    def __new__(cls, seconds: float) -> Self:
        """Return a duration of `seconds`, more than 0.

        Raises:
            ScalarError: `seconds` is not a number above 0.
        """
        if not (seconds > 0 and math.isfinite(seconds)):
            raise ScalarError("is not longer than nothing", allowed=cls.allowed)
        return super().__new__(cls, seconds)

    @classmethod
    def read(cls, raw: object) -> Self:
        """Return the duration that a text with a unit says."""
        if isinstance(raw, str):
            seconds = _seconds(raw)
            if seconds is not None:
                return cls(seconds)
        if isinstance(raw, int | float) and not isinstance(raw, bool):
            raise ScalarError("has no unit", allowed=cls.allowed)
        raise ScalarError("is not a duration", allowed=cls.allowed)

    def __str__(self) -> str:
        return _duration_text(self)


@dataclass(frozen=True, slots=True)
class Span(Scalar):
    """A length on the contract's axis: a time such as `24h`, or rows such as `1000 rows`.

    Args:
        value: Length in `unit`, 0 or more; whole for rows.
        unit: `seconds` or `rows`. A contract with `data.time` has seconds, one without has rows.
    """

    value: float
    unit: Unit

    allowed: ClassVar[str] = "a duration such as 30m, 24h or 7d, or without data.time: 1000 rows"
    json_forms: ClassVar = (
        {"type": "string", "pattern": _DURATION_PATTERN},
        {"type": "string", "pattern": r"^\s*[0-9]+\s+rows?\s*$"},
    )

    @classmethod
    def read(cls, raw: object) -> Self:
        """Return the span that a text with a unit says."""
        if isinstance(raw, str):
            if match := _ROWS.fullmatch(raw):
                return cls(float(match[1]), "rows")
            seconds = _seconds(raw)
            if seconds is not None:
                return cls(seconds, "seconds")
        if isinstance(raw, int | float) and not isinstance(raw, bool):
            raise ScalarError("has no unit", allowed=cls.allowed)
        raise ScalarError("is not a span", allowed=cls.allowed)

    def __str__(self) -> str:
        if self.unit == "rows":
            return f"{plain_decimal(self.value)} rows"
        return _duration_text(self.value)


def _period_text(raw: object) -> object:
    return _PERIODS.get(raw, raw) if isinstance(raw, str) else raw


Period = Annotated[
    Span,
    BeforeValidator(_period_text),
    WithJsonSchema({"anyOf": [{"type": "string", "enum": list(_PERIODS)}, *Span.json_forms]}),
]
"""A span that may also be written as `hour`, `day` or `week`."""


@dataclass(frozen=True, slots=True)
class Part(Scalar):
    """A part of the rows: a share such as `20%`, or a number such as `1000 rows`.

    Args:
        share: Share of all rows, above 0 and under 1; None where rows are counted.
        rows: Number of rows, above 0; None where it is a share.
    """

    share: float | None = None
    rows: int | None = None

    allowed: ClassVar[str] = "a share such as 20% or 0.2, or a number such as 1000 rows"
    json_forms: ClassVar = (
        {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1},
        {"type": "string", "pattern": r"^\s*[0-9.]+\s*%\s*$"},
        {"type": "string", "pattern": r"^\s*[0-9]+\s+rows?\s*$"},
    )

    @classmethod
    def read(cls, raw: object) -> Self:
        """Return the part that a share or a number of rows says."""
        if isinstance(raw, str) and (match := _ROWS.fullmatch(raw)):
            if int(match[1]) == 0:
                raise ScalarError("is no rows", allowed=cls.allowed)
            return cls(rows=int(match[1]))
        try:
            share = float(Share.read(raw))
        except ScalarError as error:
            raise ScalarError(error.message, allowed=cls.allowed) from error
        if not 0 < share < 1:
            raise ScalarError("is nothing or everything", allowed=cls.allowed)
        return cls(share=share)

    def __str__(self) -> str:
        return f"{self.rows} rows" if self.rows is not None else str(Share.read(self.share))
