"""The canonical form: one plain-data form for all contracts that promise the same.

Every default is written out, because it is promised too; what is absent, and empty by default, stays absent.
Small values stand in their canonical text, so that the form reads like a contract and parses back to an equal one.
"""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from setpoint.contract.scalar import Scalar


def canonical(value: object) -> Any:
    """Return sections and scalars as plain data: dicts, lists, text, numbers, true and false."""
    if isinstance(value, BaseModel):
        return _section(value)
    if isinstance(value, Scalar):
        return str(value)
    if isinstance(value, Mapping):
        return {str(key): canonical(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [canonical(item) for item in value]
    return value


def _section(section: BaseModel) -> dict[str, Any]:
    plain = {}
    for name, field in type(section).model_fields.items():
        value = getattr(section, name)
        if value is None or (value in ((), {}) and value == field.default):
            continue
        item = canonical(value)
        if item == {} and isinstance(value, BaseModel):
            continue
        plain[field.alias or name] = item
    return plain
