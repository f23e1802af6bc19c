"""What the prediction log keeps of a column, where the contract says that it must not keep all of it.

A rule is a text, the same in contract, bundle, deployment document and log: `keep`, `drop`, `hash`, `first 3` or
`round 10`. It is applied before an answer is handed to the log: what is not to be kept never reaches a disk.
"""

import hmac
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

KEEP, DROP, HASH = "keep", "drop", "hash"
FIRST, ROUND = "first", "round"

_DIGITS = 32  # of a hash: 128 bits, so that two values never share one
_SIGNIFICANT = 12  # digits of a rounded number: 3 * 0.1 is 0.3

Change = Callable[[Any], Any]


class Withholding:
    """What the log is given in place of a version's inputs and of the key.

    Args:
        names: The inputs, in the order of a row.
        rules: Rules by column, of inputs and of the key; a column without one is kept.
        key: Column that names the entity, or empty.
        secret: Returns what values are hashed with; asked only where a value is.

    Attributes:
        columns: The inputs that the log is given, in order.
        rules: Rules of the columns that are not kept as they are, without those of columns that no answer has.

    Raises:
        ValueError: A rule is none.
    """

    def __init__(
        self,
        names: Sequence[str],
        rules: Mapping[str, str],
        key: str,
        secret: Callable[[], bytes],
    ) -> None:
        known = {*names, key} - {""}
        self.rules = {name: rules[name] for name in rules if name in known and rules[name] != KEEP}
        self.columns = tuple(name for name in names if self.rules.get(name) != DROP)
        known_secret = secret() if HASH in self.rules.values() else b""
        self._changes = tuple(
            (place, change_of(self.rules.get(name, KEEP), name, known_secret))
            for place, name in enumerate(names)
            if name in self.columns
        )
        rule = self.rules.get(key, KEEP)
        self._key = (lambda _: None) if rule == DROP else change_of(rule, key, known_secret)

    def values(self, row: Sequence[Any]) -> tuple[Any, ...]:
        """Return what the log is given of a row, in the order of `columns`."""
        return tuple(
            row[place] if change is None else change(row[place]) for place, change in self._changes
        )

    def key(self, text: str) -> str:
        """Return what the log is given of a key; empty where that is nothing."""
        if self._key is None or not text:
            return text
        return str(self._key(text) or "")

    def error(self, reason: str) -> str:
        """Return what the log is given of a failure: its kind, since a model's own words may quote the row."""
        return reason.partition(":")[0]


def withholding(
    names: Sequence[str], rules: Mapping[str, str], key: str, secret: Callable[[], bytes]
) -> Withholding | None:
    """Return what withholds parts of answers from the log; None where all is kept.

    Raises:
        ValueError: A rule is none.
    """
    found = Withholding(names, rules, key, secret)
    return found if found.rules else None


def change_of(rule: str, column: str, secret: bytes) -> Change | None:
    """Return what a value becomes in the log; None where it stays as it is.

    A missing value stays missing. `hash` is HMAC-SHA-256 over column and value, so that a value is the same wherever it
    appears in one column, differs from column to column, and cannot be looked up without the secret.

    Raises:
        ValueError: The rule is none of a value that is kept in some form.
    """
    if rule == KEEP:
        return None
    if rule == HASH:
        return lambda value: None if value is None else _hashed(value, column, secret)
    how, _, amount = rule.partition(" ")
    if how == FIRST and amount.isdecimal():
        count = int(amount)
        return lambda value: None if value is None else text_of(value)[:count]
    if how == ROUND and _is_step(amount):
        step = float(amount)
        return lambda value: _rounded(value, step)
    msg = f"{rule!r} is no rule for the log; rules are keep, drop, hash, first 3, round 10"
    raise ValueError(msg)


def text_of(value: Any) -> str:
    """Return a value as the text that is hashed or shortened; 1 and 1.0 alike."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def _hashed(value: Any, column: str, secret: bytes) -> str:
    told = f"{column}\0{text_of(value)}".encode("utf-8", "surrogatepass")
    return hmac.digest(secret, told, "sha256").hex()[:_DIGITS]


def _rounded(value: Any, step: float) -> float | None:
    """Return a number to the nearest multiple of a step; None of what has none, which may not slip through."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return float(f"{round(value / step) * step:.{_SIGNIFICANT}g}")
    except (OverflowError, ValueError):  # an infinity, or a number beyond them
        return None


def _is_step(text: str) -> bool:
    try:
        return 0 < float(text) < math.inf
    except ValueError:
        return False
