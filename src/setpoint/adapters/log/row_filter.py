"""Conditions that people put to the log: `tenure > 60 and plan = 'monthly' and outcome is not null`.

A closed grammar, parsed and never evaluated: a column, an operator, a value; joined by `and`. A column is one of the
answer (`version`, `prediction`, `probability`, …) or an input; where an input is called like one of the answer, it is
written `feature.version`. Instants may be written as ISO 8601.
"""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from difflib import get_close_matches
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from setpoint.adapters.log.table import FEATURE
from setpoint.errors import UsageError

GRAMMAR = "COLUMN OP VALUE [and …], OP one of = != < <= > >=; or COLUMN is [not] null; or COLUMN in (A, B)"

_CONDITION = re.compile(
    r"""\s*(?:"(?P<quoted>[^"]+)"|(?P<name>[^\s"'=!<>(),]+))\s*(?:
        (?P<op><=|>=|!=|<>|==|=|<|>)\s*(?P<value>'(?:[^']|'')*'|[^\s'",()]+)
      | is\s+(?P<null>null|not\s+null)\b
      | in\s*\((?P<values>[^()]*)\)
    )\s*""",
    re.IGNORECASE | re.VERBOSE,
)
_AND = re.compile(r"and\b", re.IGNORECASE)
_ITEM = re.compile(r"\s*('(?:[^']|'')*'|[^\s'\",]+)\s*(?:,|$)")
_COMPARE = {
    "=": pc.equal,
    "!=": pc.not_equal,
    "<": pc.less,
    "<=": pc.less_equal,
    ">": pc.greater,
    ">=": pc.greater_equal,
}
_INSTANTS = ("at", "outcome_at")


@dataclass(frozen=True)
class Condition:
    """One condition.

    Args:
        column: Name as it was written.
        op: `=`, `!=`, `<`, `<=`, `>`, `>=`, `null`, `not null` or `in`.
        values: What the column is held against; none for `null`, several for `in`.
    """

    column: str
    op: str
    values: tuple[str, ...] = ()

    def mask(self, table: pa.Table) -> pa.ChunkedArray:
        """Return which rows meet it; a row without a value meets only `is null`.

        Raises:
            UsageError: A number is held against something else.
        """
        name = self.column if self.column in table.column_names else FEATURE + self.column
        if name not in table.column_names:
            return pa.chunked_array([pa.repeat(pa.scalar(self.op == "null"), table.num_rows)])
        column = table[name]
        if self.op in ("null", "not null"):
            return pc.is_null(column) if self.op == "null" else pc.is_valid(column)
        values = [_typed(one, column.type, name) for one in self.values]
        if self.op == "in":
            found = pc.is_in(column, value_set=pa.array(values, column.type))
        else:
            found = _COMPARE[self.op](column, pa.scalar(values[0], column.type))
        return pc.fill_null(found, fill_value=False)


@dataclass(frozen=True)
class Filter:
    """Conditions that all must hold.

    Args:
        conditions: The conditions; none lets every row pass.
    """

    conditions: tuple[Condition, ...] = ()

    def require(self, columns: Collection[str], inputs: Collection[str]) -> None:
        """Check that its columns exist.

        Args:
            columns: Columns of the answer.
            inputs: Names of all inputs that the log has.

        Raises:
            UsageError: One does not.
        """
        known = {*columns, *inputs, *(FEATURE + name for name in inputs)}
        for one in self.conditions:
            if one.column not in known:
                lowered = {name.lower(): name for name in sorted(known)}
                nearest = get_close_matches(one.column.lower(), lowered, n=1)
                hint = f"; did you mean {lowered[nearest[0]]}?" if nearest else ""
                listed = ", ".join([*columns, *sorted(inputs)][:40])
                msg = f"--where: the log has no column {one.column}{hint}; it has {listed}"
                raise UsageError(msg)

    def __call__(self, table: pa.Table) -> pa.Table:
        """Return the rows that meet all conditions.

        Raises:
            UsageError: A number is held against something else.
        """
        for one in self.conditions:
            table = table.filter(one.mask(table))
        return table


def read_filter(text: str) -> Filter:
    """Return the conditions that a text says; an empty one says none.

    Raises:
        UsageError: The text is not of the grammar.
    """
    conditions: list[Condition] = []
    place = 0
    while place < len(text.rstrip()):
        if conditions:
            joined = _AND.match(text, place)
            if joined is None:
                raise _unread(text, place)
            place = joined.end()
        found = _CONDITION.match(text, place)
        if found is None:
            raise _unread(text, place)
        conditions.append(_condition(found, text))
        place = found.end()
    return Filter(tuple(conditions))


def _condition(found: re.Match[str], text: str) -> Condition:
    column = found["quoted"] or found["name"]
    if found["op"]:
        op = {"<>": "!=", "==": "="}.get(found["op"], found["op"])
        return Condition(column, op, (_plain(found["value"]),))
    if found["null"]:
        return Condition(column, "null" if found["null"].lower() == "null" else "not null")
    return Condition(column, "in", tuple(_items(found["values"], text, found.start("values"))))


def _items(listed: str, text: str, start: int) -> Sequence[str]:
    """Return the values of a list."""
    items, place = [], 0
    while place < len(listed):
        found = _ITEM.match(listed, place)
        if found is None:
            raise _unread(text, start + place)
        items.append(_plain(found[1]))
        place = found.end()
    return items


def _plain(value: str) -> str:
    return value[1:-1].replace("''", "'") if value.startswith("'") else value


def _unread(text: str, place: int) -> UsageError:
    return UsageError(f"--where: cannot read {text[place:].strip()[:60]!r}; write {GRAMMAR}")


def _typed(value: str, kind: pa.DataType, name: str) -> Any:
    """Return a value as a column has it.

    Raises:
        UsageError: It cannot be.
    """
    try:
        if pa.types.is_boolean(kind):
            return {"true": True, "false": False, "1": True, "0": False}[value.lower()]
        if pa.types.is_integer(kind):
            return int(value)
        if pa.types.is_floating(kind):
            return _instant(value) if name in _INSTANTS else float(value)
    except (KeyError, ValueError) as error:
        wanted = "true or false" if pa.types.is_boolean(kind) else "a number"
        msg = f"--where: {name.removeprefix(FEATURE)} is held against {value!r}, needs {wanted}"
        raise UsageError(msg) from error
    return value


def _instant(value: str) -> float:
    """Return an instant in seconds since 1970-01-01 UTC; one without a zone is meant in UTC."""
    try:
        return float(value)
    except ValueError:
        moment = datetime.fromisoformat(value)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
