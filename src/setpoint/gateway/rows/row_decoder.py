"""Decoders made from a bundle's schema: a body becomes checked rows in one step of C, or is left to the slow way.

A decoder never refuses. What it takes is exactly what `Schema.check` would have made of it; whatever else there is (a
broken rule, a whole number sent as text, a name left out) goes the slow way, which converts it or says what is wrong.
"""

import math
from collections.abc import Sequence
from typing import Annotated, Any, Literal

import msgspec

from setpoint.gateway.rows.column_check import FLOAT32_MAX, ColumnRule, as_text
from setpoint.gateway.rows.schema import Row, Schema

_NUL = b"\\u0000"  # how a NUL character, which no text input may hold, stands in JSON
_INT64 = 2**63 - 1
_NUMBERS = ("int", "float")
_UNDECODED = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
_MOST_COLUMNS = (
    2_000  # wider models are decoded the slow way: a type of so many fields is dear to make
)


class RowDecoder:
    """Decodes the rows of one schema.

    Args:
        schema: The schema.
        extra: Name of a column beside the features that is wanted too, such as the sticky one; or empty.

    Attributes:
        numeric: Whether all columns are numbers, so that `numbers` may be asked.
    """

    def __init__(self, schema: Schema, extra: str = "") -> None:
        rules = schema.document.columns
        self._width = len(rules)
        self._place = -1  # of the extra value in a decoded row
        self._able = len(rules) <= _MOST_COLUMNS
        self.numeric = self._able and all(rule.kind in _NUMBERS for rule in rules)
        if not self._able:
            return
        listed = _list_type([_type_of(rule) for rule in rules])
        self._list = msgspec.json.Decoder(listed).decode
        self._lists = msgspec.json.Decoder(list[listed]).decode  # type: ignore[valid-type]
        fields: list[Any] = [(f"c{place}", _type_of(rule)) for place, rule in enumerate(rules)]
        names = {f"c{place}": rule.name for place, rule in enumerate(rules)}
        if extra in schema.names:
            self._place = schema.names.index(extra)
        elif extra:
            self._place = self._width
            fields.append(("extra", Any, None))
            names["extra"] = extra
        flat: Any = msgspec.defstruct("FlatRow", fields, rename=names)
        self._flat = msgspec.json.Decoder(flat).decode
        self._records = msgspec.json.Decoder(list[flat]).decode
        if self.numeric:
            self._whole = [place for place, rule in enumerate(rules) if rule.kind == "int"]
            self._number_list: Any = list[_list_type([_number_type(rule) for rule in rules])]  # type: ignore[misc]
            self._number_lists = msgspec.json.Decoder(self._number_list).decode

    def flat(self, body: bytes | msgspec.Raw) -> tuple[Row, Any] | None:
        """Return the row that is one JSON object, and the extra value; None where it needs the slow way."""
        if not self._able or _NUL in bytes(body):
            return None
        try:
            row = msgspec.structs.astuple(self._flat(body))
        except _UNDECODED:
            return None
        extra = row[self._place] if self._place >= 0 else None
        return (row if len(row) == self._width else row[: self._width]), extra

    def records(self, body: bytes | msgspec.Raw) -> tuple[list[Row], list[Any]] | None:
        """Return the rows that are a JSON list of objects, and their extra values; None for the slow way."""
        if not self._able or _NUL in bytes(body):
            return None
        try:
            rows = [msgspec.structs.astuple(row) for row in self._records(body)]
        except _UNDECODED:
            return None
        extras = [row[self._place] for row in rows] if self._place >= 0 else []
        if self._place == self._width:
            rows = [row[: self._width] for row in rows]
        return rows, extras

    def listed(self, body: bytes | msgspec.Raw) -> Row | None:
        """Return the row that is one JSON list; None where it needs the slow way."""
        if not self._able or _NUL in bytes(body):
            return None
        try:
            return msgspec.structs.astuple(self._list(body))
        except _UNDECODED:
            return None

    def lists(self, body: bytes | msgspec.Raw) -> list[Row] | None:
        """Return the rows that are a JSON list of lists; None where they need the slow way."""
        if not self._able or _NUL in bytes(body):
            return None
        try:
            return [msgspec.structs.astuple(row) for row in self._lists(body)]
        except _UNDECODED:
            return None

    def numbers(self, given: msgspec.Raw | list[list[Any]]) -> list[Row] | None:
        """Return rows of numbers of a numeric schema; None where they need the slow way.

        Unlike in other rows, a column of whole numbers may be given as 3.0: a tensor of floats has no other way.

        Args:
            given: A JSON list of lists, or lists decoded already.
        """
        try:
            if isinstance(given, msgspec.Raw):
                found = self._number_lists(given)
            else:
                found = msgspec.convert(given, self._number_list)
            rows = [msgspec.structs.astuple(row) for row in found]
            return list(map(self._with_whole, rows)) if self._whole else rows
        except _UNDECODED:
            return None
        except _NotWholeError:
            return None

    def extras(self, rows: Sequence[Row]) -> list[Any]:
        """Return the extra value of rows that came as lists: one of their features, or nothing."""
        if not 0 <= self._place < self._width:
            return []
        return [row[self._place] for row in rows]

    def _with_whole(self, row: Row) -> Row:
        """Return a row with whole numbers where the schema has them.

        Raises:
            _NotWholeError: One of them has a fraction.
        """
        values = list(row)
        for place in self._whole:
            value = values[place]
            if type(value) is float:
                if not value.is_integer():
                    raise _NotWholeError
                values[place] = int(value)
        return tuple(values)


class _NotWholeError(Exception):
    """A column of whole numbers holds a fraction."""


def _list_type(kinds: Sequence[Any]) -> Any:
    """Return the type of rows that are lists of values of these types."""
    fields: list[Any] = [(f"c{place}", kind) for place, kind in enumerate(kinds)]
    return msgspec.defstruct("ListedRow", fields, array_like=True, forbid_unknown_fields=True)


def _number_type(rule: ColumnRule) -> Any:
    """Return the type of a number that may be written as a float, whatever the column's kind."""
    kind = _type_of(rule)
    return kind | _bounded(float, _low(rule), _high(rule)) if rule.kind == "int" else kind


def _type_of(rule: ColumnRule) -> Any:
    """Return the type that holds what the rule allows, and nothing that it does not."""
    if rule.kind == "float":
        kind: Any = _bounded(float, _low(rule), _high(rule))
    elif rule.kind == "int":
        low, high = math.ceil(_low(rule)), math.floor(_high(rule))
        if low > _INT64 or high < -_INT64:  # no number that the decoder knows is in there
            low, high = 1, 0
        kind = _bounded(int, max(low, -_INT64), min(high, _INT64))
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
