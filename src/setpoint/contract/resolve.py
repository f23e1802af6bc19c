"""Plain YAML scalars to values, by YAML 1.2; where YAML 1.1 reads another value, a reason to refuse.

Editors, linters and other people's programs read the same file, half of them by YAML 1.1. A contract that means two
things means nothing, so the scalars that differ must be quoted.
"""

import re
from typing import Literal

Value = str | int | float | bool | None

_NULL = frozenset({"", "~", "null", "Null", "NULL"})
_TRUE = frozenset({"true", "True", "TRUE"})
_FALSE = frozenset({"false", "False", "FALSE"})
_SWITCHES = frozenset({"yes", "no", "on", "off"})
_INT = re.compile(r"[-+]?[0-9]+", re.ASCII)
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?", re.ASCII)
_NOT_FINITE = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)", re.ASCII)
_OTHER_NUMBERS = re.compile(
    r"[-+]?0[0-9_]+"  # 1.1: octal
    r"|0o[0-7]+"  # 1.2: octal
    r"|[-+]?0b[01_]+|[-+]?0x[0-9a-fA-F_]+"
    r"|[-+]?[0-9][0-9_]*_[0-9_]*(?:\.[0-9_]*)?"  # 1.1: thousands
    r"|[-+]?[1-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?",  # 1.1: base sixty
    re.ASCII,
)
_LARGEST = 2**63


def resolve(text: str, *, label: bool = False) -> tuple[Value, str]:
    """Return the value of an unquoted scalar, and why it must not stand unquoted (or "").

    Args:
        text: The scalar as written.
        label: Whether it stands where values of a column do; there `y` and `n` bite as well.
    """
    if text in _NULL:
        return None, ""
    if text in _TRUE or text in _FALSE:
        return text in _TRUE, ""
    if reason := _differs(text, label=label):
        return text, reason
    if _INT.fullmatch(text) or _FLOAT.fullmatch(text):
        return _number(text)
    return text, ""


def resolve_key(text: str) -> str:
    """Return why an unquoted key must be quoted, or ""."""
    if text == "<<":
        return "merge keys are not read; write the keys out, or use an overlay"
    value, _ = resolve(text)
    if value is None or isinstance(value, bool) or _switches(text, label=False):
        return f'is not text to some readers of YAML; write "{text}"'
    return ""


def _differs(text: str, *, label: bool) -> str:
    """Return why readers of YAML disagree over a scalar, or ""."""
    if _switches(text, label=label):
        return f'is true or false to some readers of YAML; write "{text}", or true or false'
    if _OTHER_NUMBERS.fullmatch(text):
        return f'is another number to some readers of YAML; write "{text}", or plain digits'
    if _NOT_FINITE.fullmatch(text):
        return "is no number that can be compared; write a finite one"
    return ""


def _switches(text: str, *, label: bool) -> bool:
    if text not in {text.lower(), text.upper(), text.capitalize()}:
        return False
    return text.lower() in _SWITCHES or (label and text.lower() in {"y", "n"})


def _number(text: str) -> tuple[Value, str]:
    kind: Literal["whole", "other"] = "whole" if _INT.fullmatch(text) else "other"
    if kind == "whole" and len(text) <= len(str(_LARGEST)) + 1 and abs(int(text)) < _LARGEST:
        return int(text), ""
    number = float(text)
    if kind == "whole" or number in {float("inf"), float("-inf")}:
        return text, "is too large a number"
    return number, ""
