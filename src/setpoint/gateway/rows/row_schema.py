"""A contract's columns in JSON Schema, and a row of values that the contract takes: for people and their tools."""

import math
from typing import Any

from setpoint.gateway.rows.column_check import FLOAT32_MAX, ColumnRule, as_text
from setpoint.gateway.rows.schema import Schema

_TYPES = {
    "int": "integer",
    "float": "number",
    "bool": "boolean",
    "category": "string",
    "text": "string",
}
_INT64 = 2**63 - 1
_NO_NUL = "^[^\\u0000]*$"


def row_schema(schema: Schema) -> dict[str, Any]:
    """Return the JSON Schema of a row that is an object: every column is there, others are passed over."""
    rules = schema.document.columns
    properties = {rule.name: value_schema(rule) for rule in rules}
    if schema.key and schema.key not in properties:
        properties[schema.key] = {
            "type": ["string", "integer", "null"],
            "description": "names the entity; kept with the answer, not seen by the model",
        }
    return {"type": "object", "properties": properties, "required": list(schema.names)}


def list_schema(schema: Schema) -> dict[str, Any]:
    """Return the JSON Schema of a row that is a list of values in the order of the columns."""
    kinds = [value_schema(rule) for rule in schema.document.columns]
    return {
        "type": "array",
        "prefixItems": kinds,
        "items": False,
        "minItems": len(kinds),
        "maxItems": len(kinds),
    }


def value_schema(rule: ColumnRule) -> dict[str, Any]:
    """Return the JSON Schema of a column's values."""
    kind = _TYPES[rule.kind]
    found: dict[str, Any] = {"type": [kind, "null"] if rule.nullable else kind}
    if rule.kind in ("int", "float"):
        found["minimum"], found["maximum"] = _bounds(rule)
    elif texts := listed_texts(rule):
        if rule.unseen == "refuse":
            found["enum"] = [*texts, None] if rule.nullable else texts
        else:
            found["examples"] = texts
    if kind == "string" and "enum" not in found:
        found["minLength"] = 1
        found["pattern"] = _NO_NUL
    return found


def example_value(rule: ColumnRule) -> Any:
    """Return a value that the contract takes: the middle of a range, or the first of the listed values."""
    if rule.kind == "bool":
        return True
    if rule.kind in ("category", "text"):
        return next(iter(listed_texts(rule)), "text")
    low, high = _bounds(rule)
    if rule.min is not None and rule.max is not None:
        middle = (low + high) / 2
    elif rule.min is not None:
        middle = min(low + 1, high)
    else:
        middle = max(min(1.0, high), low)
    if rule.kind == "int":
        return min(max(round(middle), low), high)
    return min(max(float(f"{middle:.6g}"), low), high)


def example_row(schema: Schema) -> dict[str, Any]:
    """Return a row that the contract takes."""
    return {rule.name: example_value(rule) for rule in schema.document.columns}


def listed_texts(rule: ColumnRule) -> list[str]:
    """Return the values that the contract lists for a category, as texts."""
    if rule.kind != "category":
        return []
    return list(dict.fromkeys(text for text in map(as_text, rule.values or ()) if text))


def _bounds(rule: ColumnRule) -> tuple[float, float]:
    """Return the smallest and the largest value of a number, whole ones for a column of such."""
    most = FLOAT32_MAX if rule.kind == "float" else _INT64
    low = -most if rule.min is None else max(rule.min, -most)
    high = most if rule.max is None else min(rule.max, most)
    return (low, high) if rule.kind == "float" else (math.ceil(low), math.floor(high))
