"""Decoders made from a bundle's schema: a body becomes checked rows in one step of C, or is left to the slow way.

A decoder never refuses. What it takes is exactly what `Schema.check` would have made of it; whatever else there is (a
broken rule, a whole number sent as text, a name left out) goes the slow way, which converts it or says what is wrong.
"""

import math
from typing import Annotated, Any, Literal

import msgspec

from setpoint.gateway.column_check import FLOAT32_MAX, ColumnRule, as_text
from setpoint.gateway.schema import Row, Schema

_NUL = b"\\u0000"  # how a NUL character, which no text input may hold, stands in JSON
_INT64 = 2**63 - 1
_MOST_COLUMNS = (
    2_000  # wider models are decoded the slow way: a type of so many fields is dear to make
)


class RowDecoder:
    """Decodes the rows of one schema.

    Args:
        schema: The schema.
        extra: Name of a column beside the features that is wanted too, such as the sticky one; or empty.
    """

    def __init__(self, schema: Schema, extra: str = "") -> None:
        rules = schema.document.columns
        self._width = len(rules)
        self._place = -1  # of the extra value in a decoded row
        self._able = len(rules) <= _MOST_COLUMNS
        if not self._able:
            return
        fields: list[Any] = [(f"c{place}", _type_of(rule)) for place, rule in enumerate(rules)]
        names = {f"c{place}": rule.name for place, rule in enumerate(rules)}
        listed: Any = msgspec.defstruct(
            "ListedRow", fields, array_like=True, forbid_unknown_fields=True
        )
        self._list = msgspec.json.Decoder(listed).decode
        self._lists = msgspec.json.Decoder(list[listed]).decode
        if extra in schema.names:
            self._place = schema.names.index(extra)
        elif extra:
            self._place = self._width
            fields = [*fields, ("extra", Any, None)]
            names["extra"] = extra
        flat = msgspec.defstruct("FlatRow", fields, rename=names)
        self._flat = msgspec.json.Decoder(flat).decode

    def flat(self, body: bytes) -> tuple[Row, Any] | None:
        """Return the row that is one JSON object, and the extra value; None where it needs the slow way."""
        if not self._able or _NUL in body:
            return None
        try:
            row = msgspec.structs.astuple(self._flat(body))
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return None
        extra = row[self._place] if self._place >= 0 else None
        return (row if len(row) == self._width else row[: self._width]), extra

    def listed(self, body: bytes | msgspec.Raw) -> Row | None:
        """Return the row that is one JSON list; None where it needs the slow way."""
        if not self._able or _NUL in bytes(body):
            return None
        try:
            return msgspec.structs.astuple(self._list(body))
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return None

    def lists(self, body: bytes | msgspec.Raw) -> list[Row] | None:
        """Return the rows that are a JSON list of lists; None where they need the slow way."""
        if not self._able or _NUL in bytes(body):
            return None
        try:
            return [msgspec.structs.astuple(row) for row in self._lists(body)]
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return None


def _type_of(rule: ColumnRule) -> Any:
    """Return the type that holds what the rule allows, and nothing that it does not."""
    if rule.kind == "float":
        kind: Any = _bounded(float, _low(rule), _high(rule))
    elif rule.kind == "int":
        low, high = math.ceil(max(_low(rule), -_INT64)), math.floor(min(_high(rule), _INT64))
        kind = _bounded(int, min(low, _INT64), min(high, _INT64))
    elif rule.kind == "bool":
        kind = bool
    elif allowed := _allowed(rule):
        kind = Literal[allowed]
    else:
        kind = Annotated[str, msgspec.Meta(min_length=1)]
    return kind | None if rule.nullable else kind


def _bounded(kind: type, low: float, high: float) -> Any:
    return Annotated[kind, msgspec.Meta(ge=low, le=high)]


def _low(rule: ColumnRule) -> float:
    return -FLOAT32_MAX if rule.min is None else max(rule.min, -FLOAT32_MAX)


def _high(rule: ColumnRule) -> float:
    return FLOAT32_MAX if rule.max is None else min(rule.max, FLOAT32_MAX)


def _allowed(rule: ColumnRule) -> tuple[str, ...]:
    """Return the texts that a category may be; none where it may be any."""
    if rule.kind != "category" or rule.values is None or rule.unseen != "refuse":
        return ()
    return tuple(dict.fromkeys(text for text in map(as_text, rule.values) if text))
