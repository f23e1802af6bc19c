"""Checks of one column's values, compiled once from its rule in `request.json`."""

import math
from collections.abc import Callable, Sequence
from difflib import get_close_matches
from typing import Any, Literal

import msgspec

from setpoint.gateway.wire.refusal import Rule

FLOAT32_MAX = 3.4028234663852886e38  # what parts of a model calculate in float32 would make an infinity of more
_SHOWN = 60  # characters of an offending value that an answer repeats
_LISTED = 20  # allowed values that an answer lists

Kind = Literal["int", "float", "bool", "category", "text"]
Value = str | float | bool | None


class ColumnRule(msgspec.Struct, frozen=True, kw_only=True):
    """What one feature's values may be.

    Args:
        name: Name of the column.
        kind: Type of its values.
        min: Smallest value of a number, inclusive.
        max: Largest value of a number, inclusive.
        values: The values that the contract lists, if it lists any.
        nullable: Whether null is a value.
        unseen: Whether a category outside `values` is taken (`accept`) or refused (`refuse`).
        log: What the prediction log keeps of it; see `setpoint.facts.log_rule`.
    """

    name: str
    kind: Kind
    min: float | None = None
    max: float | None = None
    values: tuple[str | float | bool, ...] | None = None
    nullable: bool = True
    unseen: Literal["accept", "refuse"] = "accept"
    log: str = "keep"


class RuleBrokenError(Exception):
    """A value breaks the column's rule.

    Args:
        row: Zero-based position of the value.
        rule: The rule.
        reason: What is wrong with it.
    """

    def __init__(self, row: int, rule: Rule, reason: str) -> None:
        self.row = row
        self.rule = rule
        self.reason = reason
        super().__init__(reason)


Check = Callable[[Sequence[Any]], list[Any]]


def compile_check(rule: ColumnRule) -> Check:
    """Return the check of a column: values as decoded → values as the model and the log take them.

    Whole numbers pass as floats, floats without a fraction as ints, ints and booleans as categories (their text). Null
    becomes None, and so does empty text: a model's text inputs have no other way to say that a value is missing. The
    check raises `RuleBrokenError` at the first value that breaks the rule.
    """
    return _COMPILERS[rule.kind](rule)


def as_text(value: str | float | bool) -> str:  # noqa: FBT001 (a value, not a flag)
    """Return a scalar as the text that names a class or a category: `true`, `3` (also for 3.0), or the text itself."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int) or not math.isfinite(value) or not value.is_integer():
        return str(value)
    return str(int(value))


def _float_check(rule: ColumnRule) -> Check:
    low = -FLOAT32_MAX if rule.min is None else max(rule.min, -FLOAT32_MAX)
    high = FLOAT32_MAX if rule.max is None else min(rule.max, FLOAT32_MAX)
    nullable = rule.nullable

    def check(values: Sequence[Any]) -> list[Any]:
        checked: list[Any] = []
        for row, value in enumerate(values):
            kind = type(value)
            if (kind is float or kind is int) and low <= value <= high:
                checked.append(float(value))
            elif value is None and nullable:
                checked.append(None)
            else:
                raise RuleBrokenError(row, *_number_reason(rule, value))
        return checked

    return check


def _int_check(rule: ColumnRule) -> Check:
    low = -FLOAT32_MAX if rule.min is None else rule.min
    high = FLOAT32_MAX if rule.max is None else rule.max
    nullable = rule.nullable

    def check(values: Sequence[Any]) -> list[Any]:
        checked: list[Any] = []
        for row, value in enumerate(values):
            kind = type(value)
            if kind is int and low <= value <= high:
                checked.append(value)
            elif kind is float and low <= value <= high and value.is_integer():
                checked.append(int(value))
            elif value is None and nullable:
                checked.append(None)
            else:
                raise RuleBrokenError(row, *_number_reason(rule, value))
        return checked

    return check


def _bool_check(column: ColumnRule) -> Check:
    nullable = column.nullable

    def check(values: Sequence[Any]) -> list[Any]:
        checked: list[Any] = []
        for row, value in enumerate(values):
            if value is True or value is False or (value is None and nullable):
                checked.append(value)
            elif type(value) in (int, float) and value in (0, 1):
                checked.append(bool(value))
            else:
                rule: Rule = "null" if value is None else "type"
                raise RuleBrokenError(row, rule, f"got {_say(value)}, needs true or false")
        return checked

    return check


def _category_check(rule: ColumnRule) -> Check:
    nullable = rule.nullable
    allowed = None
    if rule.values is not None and rule.unseen == "refuse":
        allowed = frozenset(as_text(value) for value in rule.values)

    def check(values: Sequence[Any]) -> list[Any]:
        checked: list[Any] = []
        for row, given in enumerate(values):
            value = as_text(given) if type(given) in (int, bool) else given
            if value is None or value == "":
                if not nullable:
                    raise RuleBrokenError(row, "null", f"got {_say(given)}, needs a value")
                checked.append(None)
            elif type(value) is str and (allowed is None or value in allowed) and "\0" not in value:
                checked.append(value)
            else:
                raise RuleBrokenError(row, *_category_reason(given, allowed))
        return checked

    return check


def _text_check(rule: ColumnRule) -> Check:
    nullable = rule.nullable

    def check(values: Sequence[Any]) -> list[Any]:
        checked: list[Any] = []
        for row, value in enumerate(values):
            if value is None or value == "":
                if not nullable:
                    raise RuleBrokenError(row, "null", f"got {_say(value)}, needs a value")
                checked.append(None)
            elif type(value) is str and "\0" not in value:
                checked.append(value)
            else:
                raise RuleBrokenError(row, *_text_reason(value))
        return checked

    return check


_COMPILERS: dict[Kind, Callable[[ColumnRule], Check]] = {
    "float": _float_check,
    "int": _int_check,
    "bool": _bool_check,
    "category": _category_check,
    "text": _text_check,
}


def _number_reason(rule: ColumnRule, value: object) -> tuple[Rule, str]:
    """Say why `value` is not a number of this column."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        broken: Rule = "null" if value is None else "type"
        return broken, f"got {_say(value)}, needs {_NEEDS[rule.kind]}"
    if rule.min is not None and value < rule.min:
        return "range", f"{_shorten(str(value))} is below the minimum {rule.min:g}"
    if rule.max is not None and value > rule.max:
        return "range", f"{_shorten(str(value))} is above the maximum {rule.max:g}"
    if not -FLOAT32_MAX <= value <= FLOAT32_MAX:
        return "range", f"{_shorten(str(value))} is beyond the range of a 32-bit float"
    return "type", f"got {_say(value)}, needs {_NEEDS[rule.kind]}"


_NEEDS: dict[Kind, str] = {"int": "a whole number", "float": "a number"}


def _category_reason(value: object, allowed: frozenset[str] | None) -> tuple[Rule, str]:
    """Say why `value` is not a category of this column."""
    text = as_text(value) if isinstance(value, bool | int) else value
    if allowed is None or not isinstance(text, str) or "\0" in text:
        return _text_reason(value)
    nearest = get_close_matches(text, allowed, n=1)
    listed = ", ".join(repr(_shorten(one)) for one in sorted(allowed)[:_LISTED])
    more = f" and {len(allowed) - _LISTED} more" if len(allowed) > _LISTED else ""
    hint = f"; did you mean {nearest[0]!r}?" if nearest else ""
    return "value", f"{_say(value)} is not one of {listed}{more}{hint}"


def _text_reason(value: object) -> tuple[Rule, str]:
    """Say why `value` is not text."""
    if isinstance(value, str):
        return "value", "text holds a NUL character"
    return "type", f"got {_say(value)}, needs text"


def _say(value: object) -> str:
    """Return what a value is, and the value where it is short enough to help."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return f"text {_shorten(repr(value))}"
    if isinstance(value, int | float):
        return f"number {_shorten(str(value))}"
    return "a list" if isinstance(value, list) else "an object"


def _shorten(text: str) -> str:
    """Return the first characters of a text."""
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
