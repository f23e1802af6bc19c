"""A row as JSON."""

import datetime as dt
from collections.abc import Mapping
from typing import Any

import msgspec

from setpoint.errors import UsageError

_MISSING = ("NAType", "NaTType")  # what pandas calls a missing value; it is not imported here


def _plain(value: Any) -> Any:
    """Return what JSON has for a value: a mapping's items, the number in a NumPy scalar, a pandas moment as text."""
    if isinstance(value, Mapping):
        return dict(value)
    if type(value).__name__ in _MISSING:
        return None
    if isinstance(value, dt.date):
        return value.isoformat()
    item = getattr(value, "item", None)
    if callable(item) and getattr(value, "ndim", None) == 0:
        return item()
    msg = f"a {type(value).__name__} has no place in JSON"
    raise TypeError(msg)


_encode = msgspec.json.Encoder(enc_hook=_plain).encode


def row_text(row: Any, what: str = "the row") -> bytes:
    """Return a row as a JSON object; a number that is none (NaN) becomes null.

    Args:
        row: The row by column.
        what: What it is, for errors.

    Raises:
        UsageError: It is no mapping of names to plain values.
    """
    try:
        text = _encode(row)
    except (TypeError, ValueError, RecursionError) as error:
        msg = f"{what} cannot be sent: {error}"
        raise UsageError(msg) from error
    if text.lstrip()[:1] != b"{":
        msg = f"{what} is a {type(row).__name__}, needs names and values such as {{'tenure': 3}}"
        raise UsageError(msg)
    return text
