"""What the prediction log keeps of a column."""

import re
from dataclasses import dataclass
from typing import ClassVar, Literal, Self

from setpoint.contract.scalar import Scalar, ScalarError
from setpoint.contract.shares import plain_decimal

_FIRST = re.compile(r"first\s+([0-9]{1,4})", re.ASCII)
_ROUND = re.compile(r"round\s+([0-9]{1,15}(?:\.[0-9]{1,9})?)", re.ASCII)


@dataclass(frozen=True, slots=True)
class LogRule(Scalar):
    """What is kept of a value: `keep`, `drop`, `hash`, `first 3` (characters) or `round 10` (to a multiple of it).

    Args:
        how: What is done to it.
        amount: Characters that are kept of a text, or what a number is rounded to a multiple of; 0 otherwise.
    """

    how: Literal["keep", "drop", "hash", "first", "round"] = "keep"
    amount: float = 0.0

    allowed: ClassVar[str] = (
        "keep, drop, hash, first 3 (characters of a text) or round 10 (a number to a multiple of 10)"
    )
    json_forms: ClassVar = (
        {"type": "string", "enum": ["keep", "drop", "hash"]},
        {"type": "string", "pattern": r"^\s*(first\s+[0-9]{1,4}|round\s+[0-9.]+)\s*$"},
    )

    @classmethod
    def read(cls, raw: object) -> Self:
        """Return the rule that a text says."""
        text = raw.strip() if isinstance(raw, str) else ""
        if text in {"keep", "drop", "hash"}:
            return cls(text)  # type: ignore[arg-type]  # one of the three
        if (match := _FIRST.fullmatch(text)) and int(match[1]) > 0:
            return cls("first", float(match[1]))
        if (match := _ROUND.fullmatch(text)) and float(match[1]) > 0:
            return cls("round", float(match[1]))
        raise ScalarError("is no rule for the log", allowed=cls.allowed)

    def __str__(self) -> str:
        return f"{self.how} {plain_decimal(self.amount)}" if self.amount else self.how
