"""A row as JSON."""

from collections.abc import Mapping
from typing import Any

import msgspec

from setpoint.errors import UsageError


def _plain(value: Any) -> Any:
    """Return what JSON has for a value: a mapping's items, the number in a NumPy scalar."""
    if isinstance(value, Mapping):
        return dict(value)
    item = getattr(value, "item", None)
    if callable(item) and getattr(value, "ndim", None) == 0:
        return item()
    msg = f"a {type(value).__name__} has no place in JSON"
    raise TypeError(msg)


_encode = msgspec.json.Encoder(enc_hook=_plain).encode


def row_text(row: Any, number: int) -> bytes:
    """Return a row as a JSON object; a number that is none (NaN) becomes null.

    Raises:
        UsageError: It is no mapping of names to plain values; says which row.
    """
    try:
        text = _encode(row)
    except (TypeError, ValueError, RecursionError) as error:
        msg = f"row {number} cannot be sent: {error}"
        raise UsageError(msg) from error
    if text.lstrip()[:1] != b"{":
        msg = f"row {number} is a {type(row).__name__}, needs names and values such as {{'tenure': 3}}"
        raise UsageError(msg)
    return text
