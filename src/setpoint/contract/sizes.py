"""Amounts of memory and of processor."""

import math
import re
from decimal import Decimal
from typing import Self

from setpoint.contract.scalar import Scalar, ScalarError
from setpoint.contract.shares import number_of, plain_decimal

_BYTES = {  # largest first, so that the canonical text takes the largest unit that divides
    "Ti": 2**40,
    "TB": 10**12,
    "Gi": 2**30,
    "GB": 10**9,
    "Mi": 2**20,
    "MB": 10**6,
    "Ki": 2**10,
    "kB": 10**3,
    "B": 1,
}
_SPELT = {"KB": "kB", "K": "kB", "k": "kB", "M": "MB", "G": "GB", "T": "TB"} | {
    f"{unit}B": unit for unit in ("Ki", "Mi", "Gi", "Ti")
}
_ROUNDING = 1e-6  # of a thousandth, what floats lose
_SIZE = re.compile(r"\s*(\d{1,15}(?:\.\d{0,9})?)\s*([A-Za-z]{1,3})\s*", re.ASCII)
_CORES = re.compile(r"\s*(\d{1,9}(?:\.\d{0,3})?)(m?)\s*", re.ASCII)


class Size(int, Scalar):
    """An amount of memory or disk in bytes, such as `500MB` or `2Gi`."""

    __slots__ = ()

    allowed = "a size such as 500MB, 2GB or 2Gi"
    json_forms = ({"type": "string", "pattern": r"^\s*[0-9]+(\.[0-9]*)?\s*[kKMGT]?i?B?\s*$"},)

    def __new__(cls, size: int) -> Self:
        """Return a size of `size` bytes, more than 0.

        Raises:
            ScalarError: `size` is not above 0.
        """
        if size <= 0:
            raise ScalarError("is not larger than nothing", allowed=cls.allowed)
        return super().__new__(cls, size)

    @classmethod
    def read(cls, raw: object) -> Self:
        """Return the size that a text with a unit says."""
        if isinstance(raw, str) and (match := _SIZE.fullmatch(raw)):
            unit = _SPELT.get(match[2], match[2])
            if unit in _BYTES:
                return cls(math.floor(Decimal(match[1]) * _BYTES[unit]))
        if number_of(raw) is not None:
            raise ScalarError("has no unit", allowed=cls.allowed)
        raise ScalarError("is not a size", allowed=cls.allowed)

    def __str__(self) -> str:
        unit = next(unit for unit, size in _BYTES.items() if self % size == 0)
        return f"{self // _BYTES[unit]}{unit}"


class Cores(float, Scalar):
    """An amount of processor, in cores: `1`, `0.5` or `500m`."""

    __slots__ = ()

    allowed = "a number of cores such as 1, 0.5 or 500m"
    json_forms = (
        {"type": "number", "exclusiveMinimum": 0},
        {"type": "string", "pattern": r"^\s*[0-9]+(\.[0-9]{0,3})?m?\s*$"},
    )

    def __new__(cls, cores: float) -> Self:
        """Return `cores` cores, at least a thousandth.

        Raises:
            ScalarError: `cores` is not a whole number of thousandths above 0.
        """
        thousandths = cores * 1000
        if (
            not math.isfinite(cores)
            or cores <= 0
            or abs(thousandths - round(thousandths)) > _ROUNDING
        ):
            raise ScalarError("is not a whole number of thousandths", allowed=cls.allowed)
        return super().__new__(cls, round(thousandths) / 1000)

    @classmethod
    def read(cls, raw: object) -> Self:
        """Return the cores that a number or a text says."""
        number = number_of(raw)
        if number is not None:
            return cls(number)
        if isinstance(raw, str) and (match := _CORES.fullmatch(raw)):
            return cls(float(match[1]) / (1000 if match[2] else 1))
        raise ScalarError("is not a number of cores", allowed=cls.allowed)

    def __str__(self) -> str:
        return plain_decimal(self) if self.is_integer() else f"{round(self * 1000)}m"
