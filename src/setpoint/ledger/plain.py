"""Plain data for the ledger and the state: exactly what JSON can say, so that a hash survives storage."""

import math
from numbers import Integral
from typing import Any

import msgspec

_NUMBER = "$float"
_NAMES = {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}


def to_plain(value: object) -> Any:
    """Return `value` as dicts, lists, text, integers, finite floats, booleans and None.

    Records become dicts and tuples become lists. NaN and the infinities, which JSON cannot say, become
    `{"$float": "nan"}`, `{"$float": "inf"}` and `{"$float": "-inf"}`. Text that UTF-8 cannot say (half of a surrogate
    pair, as in undecodable output of a process) keeps its place as a backslash escape.

    Raises:
        TypeError: `value` holds something that is not plain data, such as a table or a set, or a key that
            is neither text nor an integer.
        ValueError: Two keys of one mapping read alike as text.
    """
    if isinstance(value, msgspec.Struct):
        return _mapping(msgspec.structs.asdict(value))
    if isinstance(value, dict):
        return _mapping(value)
    if isinstance(value, list | tuple):
        return [to_plain(item) for item in value]
    return _scalar(value)


def from_plain(value: Any) -> Any:
    """Return plain data with NaN and the infinities as floats again; lists stay lists."""
    if isinstance(value, dict):
        if len(value) == 1 and value.get(_NUMBER) in _NAMES:
            return _NAMES[value[_NUMBER]]
        return {key: from_plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [from_plain(item) for item in value]
    return value


def _scalar(value: object) -> Any:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, float):
        return _float(value)
    if isinstance(value, Integral):  # NumPy's integers among them
        return int(value)
    msg = f"{type(value).__name__} is not plain data: {value!r}"
    raise TypeError(msg)


def _float(value: float) -> Any:
    if math.isfinite(value):
        return float(value)  # a NumPy float is a float, but need not print like one
    return {_NUMBER: "nan" if math.isnan(value) else "inf" if value > 0 else "-inf"}


def _text(value: str) -> str:
    return value.encode("utf-8", "backslashreplace").decode("utf-8")


def _mapping(value: dict[Any, Any]) -> dict[str, Any]:
    plain: dict[str, Any] = {}
    for key, item in value.items():
        if isinstance(key, bool) or not isinstance(key, str | int):
            msg = f"a key of plain data is text or an integer, not {type(key).__name__}: {key!r}"
            raise TypeError(msg)
        name = _text(key) if isinstance(key, str) else str(key)
        if name in plain:
            msg = f"two keys read alike as text: {name!r}"
            raise ValueError(msg)
        plain[name] = to_plain(item)
    return plain
