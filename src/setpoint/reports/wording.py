"""How numbers, verdicts and actions read, the same in the terminal, on a page and in a chart."""

import re
from collections.abc import Mapping
from math import isfinite
from typing import Final

from setpoint.clock import Axis, say_tick
from setpoint.facts.decision import Action, Decision
from setpoint.facts.verdict import Ruling, Verdict

UNKNOWN: Final = "—"
"""Stands where a number is not known."""

MINUS: Final = "\N{MINUS SIGN}"
"""Stands before every number below 0; as wide as a plus sign, so that columns line up."""

SYMBOLS: Final[dict[Ruling, str]] = {"pass": "✓", "fail": "✗", "inconclusive": "?", "error": "!"}
"""A verdict never speaks by its colour alone."""

ACTIONS: Final[dict[Action, tuple[str, str]]] = {
    "wait": ("·", "waited"),
    "check": ("·", "rows checked"),
    "accept": ("✓", "check accepted"),
    "hold": ("‖", "held"),
    "block": ("■", "data blocked"),
    "admit": ("□", "data admitted"),
    "retrain": ("↻", "retrain opened"),
    "fit": ("∘", "fitted"),
    "judge": ("⚖", "judged"),
    "refuse": ("✗", "refused"),
    "register": ("+", "registered"),
    "release": ("→", "release began"),
    "advance": ("»", "step passed"),
    "weigh": ("≈", "shares weighed"),
    "promote": ("▲", "promoted"),
    "roll_back": ("▼", "rolled back"),
    "alert": ("!", "alert"),
    "adopt": ("⇄", "adopted"),
    "put_back": ("⇤", "put back"),
    "renew": ("⟲", "document renewed"),
}
"""Symbol and past tense of each action."""

_NEGATIVE = re.compile(r"(?<![^\s(\[,])-(?=\.?\d)")
_WHOLE = 1000  # from here on the decimals of a measured number say nothing
_TINY = 1e-4


def say_number(value: float | None) -> str:
    """Return a number with about four digits, thousands set apart; a dash where it is not known."""
    if value is None or not isfinite(value):
        return UNKNOWN
    return _digits(value).replace("-", MINUS, value < 0)


def _digits(value: float) -> str:
    if isinstance(value, int) or (value == round(value) and abs(value) >= _WHOLE):
        return f"{value:,.0f}"
    if abs(value) >= _WHOLE:
        return f"{value:,.0f}"
    if value == 0:
        return "0"
    return f"{value:.1e}" if abs(value) < _TINY else f"{value:.4g}"


def say_percent_change(new: float, old: float) -> str:
    """Return by how much `new` is more or less than `old`, such as `+16.7 %`.

    Raises:
        ZeroDivisionError: `old` is 0.
    """
    change = 100 * (new / old - 1)
    text = f"{abs(change):.1f}".removesuffix(".0")
    sign = "" if text == "0" else "+" if change > 0 else MINUS
    return f"{sign}{text} %"


def say_change(value: float | None) -> str:
    """Return a difference with its sign, such as `+0.012`."""
    if value is None or not isfinite(value):
        return UNKNOWN
    text = say_number(round(abs(value), 4))
    if text == "0":
        return text
    return f"+{text}" if value > 0 else f"{MINUS}{text}"


def say_reason(text: str) -> str:
    """Return a sentence with the minus sign before its negative numbers; dates and names stay as they are."""
    return _NEGATIVE.sub(MINUS, text)


def say_when(tick: float, axis: Axis) -> str:
    """Return a tick as `2018-03-01` where it is midnight, else as `setpoint.clock.say_tick` does."""
    return say_tick(tick, axis).removesuffix(" 00:00")


def say_interval(interval: tuple[float, float] | None) -> str:
    """Return both bounds, or nothing."""
    return "" if interval is None else f"{say_number(interval[0])} to {say_number(interval[1])}"


def say_limit(limit: float | tuple[float, float] | str | None) -> str:
    """Return what a value was held against, or nothing."""
    if limit is None:
        return ""
    if isinstance(limit, str):
        return limit
    return say_interval(limit) if isinstance(limit, tuple) else say_number(limit)


def say_plain(value: object) -> str:
    """Return any plain value of a fact: numbers as `say_number` does, pairs and mappings in words."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if value is None:
        return UNKNOWN
    if isinstance(value, int | float):
        return say_number(value)
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {say_plain(inner)}" for name, inner in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(say_plain(inner) for inner in value)
    return str(value)


def say_count(count: int, one: str, many: str = "") -> str:
    """Return a count with its noun: `no fits`, `1 fit`, `12 fits`."""
    noun = one if count == 1 else many or f"{one}s"
    return f"{f'{count:,}' if count else 'no'} {noun}"


def say_verdict(verdict: Verdict) -> str:
    """Return symbol and word of a verdict."""
    return f"{SYMBOLS[verdict.verdict]} {verdict.verdict}"


def say_action(decision: Decision) -> str:
    """Return symbol and past tense of what was done."""
    symbol, words = ACTIONS[decision.action]
    return f"{symbol} {words}"
