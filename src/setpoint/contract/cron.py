"""Cron schedules: five fields, in UTC."""

import re
from collections.abc import Sequence
from typing import Self

from setpoint.contract.scalar import Scalar, ScalarError

_FIELDS = (  # name, lowest, highest, names
    ("minute", 0, 59, ()),
    ("hour", 0, 23, ()),
    ("day of month", 1, 31, ()),
    (
        "month",
        1,
        12,
        ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"),
    ),
    ("day of week", 0, 7, ("sun", "mon", "tue", "wed", "thu", "fri", "sat")),
)
_LONGEST = {1: 31, 2: 29, 3: 31, 4: 30, 5: 31, 6: 30, 7: 31, 8: 31, 9: 30, 10: 31, 11: 30, 12: 31}
_ITEM = re.compile(r"(\*|[0-9a-z]{1,3})(?:-([0-9a-z]{1,3}))?(?:/([0-9]{1,2}))?", re.ASCII)
_SUNDAY = 7  # cron's second name for day 0
_ALLOWED = "five cron fields in UTC: minute hour day-of-month month day-of-week, as in 0 2 * * 1"


class Cron(str, Scalar):
    """A cron schedule in UTC, such as `0 * * * *`: its five fields, checked, one blank between."""

    __slots__ = ()

    allowed = _ALLOWED
    json_forms = ({"type": "string", "pattern": r"^\s*\S+(\s+\S+){4}\s*$"},)

    @classmethod
    def read(cls, raw: object) -> Self:
        """Return the schedule that a text of five fields says."""
        if not isinstance(raw, str):
            raise ScalarError("is not a schedule", allowed=_ALLOWED)
        texts = raw.lower().split()
        if len(texts) != len(_FIELDS):
            raise ScalarError(f"has {len(texts)} fields, not five", allowed=_ALLOWED)
        _, _, days, months, weekdays = (_field(text, i) for i, text in enumerate(texts))
        if texts[4] == "*" and min(days) > max(_LONGEST[month] for month in months):
            raise ScalarError("names a day that never comes", allowed=_ALLOWED)
        del weekdays
        return cls(" ".join(texts))

    @property
    def fields(self) -> tuple[frozenset[int], ...]:
        """Values of minute, hour, day of month, month and day of week (0 is Sunday)."""
        return tuple(_field(text, i) for i, text in enumerate(self.split()))


def _field(text: str, position: int) -> frozenset[int]:
    name, low, high, names = _FIELDS[position]
    values: set[int] = set()
    for item in text.split(","):
        match = _ITEM.fullmatch(item)
        if match is None or (match[1] == "*" and match[2]):
            raise ScalarError(f"has no {name} in {text!r}", allowed=_ALLOWED)
        start, end = low, high
        if match[1] != "*":
            start = _value(match[1], low, names)
            end = _value(match[2], low, names) if match[2] else (high if match[3] else start)
        step = int(match[3] or 1)
        if not (low <= start <= end <= high) or step == 0:
            raise ScalarError(f"{name} {text!r} is not from {low} to {high}", allowed=_ALLOWED)
        values.update(range(start, end + 1, step))
    if position == len(_FIELDS) - 1:
        values = {value % _SUNDAY for value in values}
    return frozenset(values)


def _value(text: str, low: int, names: Sequence[str]) -> int:
    if text in names:
        return names.index(text) + low
    return int(text) if text.isdigit() else -1
