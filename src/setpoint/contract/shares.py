"""Shares, changes and points: the three ways in which a contract says "how much"."""

import math
import re
from dataclasses import dataclass
from decimal import Decimal
from typing import ClassVar, Literal, Self

from setpoint.contract.scalar import Scalar, ScalarError

_NUMBER = r"(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d{1,3})?"
_PERCENT = re.compile(rf"\s*({_NUMBER})\s*%\s*", re.ASCII)
_ABSOLUTE = re.compile(rf"\s*({_NUMBER})\s+abs\s*", re.ASCII)
_POINTS = re.compile(rf"\s*({_NUMBER})\s+points?\s*", re.ASCII)
_PLAIN = re.compile(rf"\s*({_NUMBER})\s*", re.ASCII)


def plain_decimal(value: float) -> str:
    """Return a finite number without an exponent and without needless zeros; reads back exactly."""
    return decimal_text(Decimal(repr(float(value))))


def decimal_text(value: Decimal) -> str:
    """Return a decimal without an exponent and without needless zeros."""
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def number_of(raw: object) -> float | None:
    """Return a finite number that YAML read as a number; None for anything else, bool included."""
    if isinstance(raw, bool) or not isinstance(raw, int | float):
        return None
    return float(raw) if math.isfinite(raw) else None


def _hundredth(text: str) -> float:
    return float(Decimal(text).scaleb(-2))


def _percent_of(value: float) -> str:
    return decimal_text(Decimal(repr(float(value))).scaleb(2)) + "%"


class Share(float, Scalar):
    """A part of a whole, 0 to 1: `5%` and `0.05` are equal."""

    __slots__ = ()

    allowed = "a share such as 5% or 0.05, from 0 to 1"
    json_forms = (
        {"type": "number", "minimum": 0, "maximum": 1},
        {"type": "string", "pattern": r"^\s*[0-9.]+([eE][-+]?[0-9]+)?\s*%\s*$"},
    )

    def __new__(cls, value: float) -> Self:
        """Return the share `value`, 0 to 1.

        Raises:
            ScalarError: `value` is not from 0 to 1.
        """
        if not 0 <= value <= 1:
            raise ScalarError(f"is {value:g}, not from 0 to 1", allowed=cls.allowed)
        return super().__new__(cls, value)

    @classmethod
    def read(cls, raw: object) -> Self:
        """Return the share that a number or a text with % says."""
        number = number_of(raw)
        if number is not None:
            return cls(number + 0.0)
        if isinstance(raw, str) and (match := _PERCENT.fullmatch(raw)):
            return cls(_hundredth(match[1]))
        if isinstance(raw, str) and _PLAIN.fullmatch(raw):
            raise ScalarError("is text, not a number; write it without quotes", allowed=cls.allowed)
        raise ScalarError("is not a share", allowed=cls.allowed)

    def __str__(self) -> str:
        return _percent_of(self)


class Points(float, Scalar):
    """A distance between two shares, 0 to 1: `25 points` is 0.25."""

    __slots__ = ()

    allowed = "percentage points such as 25 points, from 0 points to 100 points"
    json_forms = ({"type": "string", "pattern": r"^\s*[0-9.]+\s+points?\s*$"},)

    def __new__(cls, value: float) -> Self:
        """Return the distance `value`, 0 to 1.

        Raises:
            ScalarError: `value` is not from 0 to 1.
        """
        if not 0 <= value <= 1:
            raise ScalarError("is not from 0 points to 100 points", allowed=cls.allowed)
        return super().__new__(cls, value)

    @classmethod
    def read(cls, raw: object) -> Self:
        """Return the distance that a text with `points` says."""
        if isinstance(raw, str) and (match := _POINTS.fullmatch(raw)):
            return cls(_hundredth(match[1]))
        raise ScalarError("is not a number of points", allowed=cls.allowed)

    def __str__(self) -> str:
        return _percent_of(self).removesuffix("%") + " points"


@dataclass(frozen=True, slots=True)
class Change(Scalar):
    """A change of a quantity: `5%` is relative to it, `0.05 abs` is in its own unit.

    Args:
        value: Size of the change, 0 or more; 0.05 for `5%`.
        relative: Whether it is a part of the quantity it changes.
    """

    value: float
    relative: bool

    allowed: ClassVar[str] = "5% (relative to the value) or 0.05 abs (in the value's own unit)"
    json_forms: ClassVar = (
        {"type": "string", "pattern": r"^\s*[0-9.]+([eE][-+]?[0-9]+)?\s*(%|\s+abs)\s*$"},
    )

    @classmethod
    def read(cls, raw: object) -> Self:
        """Return the change that a text with `%` or `abs` says; a bare number is refused."""
        number = number_of(raw)
        if number is not None or (isinstance(raw, str) and _PLAIN.fullmatch(raw)):
            value = number if number is not None else float(str(raw))
            percent = _percent_of(abs(value)) if abs(value) < 1 else f"{plain_decimal(abs(value))}%"
            both = f"{percent} (relative) or {plain_decimal(abs(value))} abs (absolute)"
            raise ScalarError("is a bare number, which can be read two ways", allowed=both)
        if isinstance(raw, str):
            if match := _PERCENT.fullmatch(raw):
                return cls(_finite(_hundredth(match[1]), cls.allowed), relative=True)
            if match := _ABSOLUTE.fullmatch(raw):
                return cls(_finite(float(match[1]), cls.allowed), relative=False)
        raise ScalarError("is not a change", allowed=cls.allowed)

    def of(self, reference: float) -> float:
        """Return the size of this change of `reference`, in the unit of `reference`, 0 or more."""
        return self.value * abs(reference) if self.relative else self.value

    def moved(self, reference: float, towards: Literal["higher", "lower"]) -> float:
        """Return `reference` moved by this change towards higher or lower values."""
        step = self.of(reference)
        return reference + step if towards == "higher" else reference - step

    def __str__(self) -> str:
        return _percent_of(self.value) if self.relative else f"{plain_decimal(self.value)} abs"


def _finite(value: float, allowed: str) -> float:
    if not math.isfinite(value):
        raise ScalarError("is too large", allowed=allowed)
    return value
