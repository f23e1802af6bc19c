"""The rows of a request, in the shapes that clients send: objects, lists, tensors."""

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from difflib import get_close_matches
from typing import Any, Protocol

from setpoint.gateway.rows.column_check import as_text
from setpoint.gateway.rows.schema import Row, Schema
from setpoint.gateway.wire.refusal import Flaw, RefusedError, refuse

_FLAWS = 20
WRAPPERS = ("features", "instances")
"""Names around rows; a feature of that very name takes its place."""


class Rows(Protocol):
    """The rows of one request, before they are checked against a version's schema."""

    count: int

    def values(self, column: str, schema: Schema) -> Sequence[Any]:
        """Return the values of a column, feature or not, shape (count,); empty where it was not sent."""

    def columns(self, schema: Schema) -> Sequence[Sequence[Any]]:
        """Return the features in the order of the schema.

        Raises:
            RefusedError: 422; a column is missing, or a row has another width.
        """


def checked(rows: Rows, schema: Schema) -> Sequence[Row]:
    """Return the rows as model and log take them, in the order of the schema.

    Raises:
        RefusedError: 422; a column is missing, a row has another width, or a value breaks a rule.
    """
    if isinstance(rows, TypedRows) and rows.schema is schema:
        return rows.rows
    return list(zip(*schema.check(rows.columns(schema)), strict=True))


class TypedRows:
    """Rows that were decoded straight into the types of one schema: there is nothing left to check.

    Args:
        rows: Checked rows in the order of the schema.
        schema: The schema.
        again: Reads the same rows the slow way, for a version with another schema.
        extra: Name of a column that was read beside the features.
        extras: Its value in each row; empty where it was not sent.
    """

    def __init__(
        self,
        rows: Sequence[Row],
        schema: Schema,
        again: Callable[[], "Rows"],
        extra: str = "",
        extras: Sequence[Any] = (),
    ) -> None:
        self.rows = rows
        self.schema = schema
        self.count = len(rows)
        self._again = again
        self._extra = extra
        self._extras = extras

    def values(self, column: str, schema: Schema) -> Sequence[Any]:
        """Return the values of a column; empty where it was not sent."""
        if column == self._extra:
            return self._extras
        return self._again().values(column, schema)

    def columns(self, schema: Schema) -> Sequence[Sequence[Any]]:
        """Return the features in the order of another schema."""
        return self._again().columns(schema)


class Records:
    """Rows as objects: `{"tenure": 3, "plan": "monthly"}`.

    Every feature must be there; what is not known is sent as null. Names that the schema does not know are passed over
    (an older or newer version may need them), unless a feature is missing: then they may be its misspelling.
    """

    def __init__(self, rows: Sequence[dict[str, Any]]) -> None:
        self._rows = rows
        self.count = len(rows)

    def values(self, column: str, schema: Schema) -> Sequence[Any]:
        """Return the values of a column; None where a row lacks it."""
        del schema
        return [row.get(column) for row in self._rows]

    def columns(self, schema: Schema) -> Sequence[Sequence[Any]]:
        """Return the features in the order of the schema."""
        try:
            if self.count == 1:
                row = self._rows[0]
                return [(row[name],) for name in schema.names]
            return [[row[name] for row in self._rows] for name in schema.names]
        except KeyError:
            raise RefusedError(422, _incomplete(self._rows, schema)) from None


def _incomplete(rows: Sequence[Mapping[str, Any]], schema: Schema) -> list[Flaw]:
    """Return what is missing where, and the names that nobody knows and that may be its misspelling."""
    flaws: list[Flaw] = []
    for number, row in enumerate(rows):
        missing = [name for name in schema.names if name not in row]
        unknown = sorted(set(row) - set(schema.names) - {schema.key})
        for name in missing:
            nearest = get_close_matches(name, unknown, n=1)
            hint = "; send null where it is not known" if name in schema.nullable else ""
            hint = f"; did you mean it by {nearest[0]!r}?" if nearest else hint
            flaws.append(Flaw(reason=f"is missing{hint}", column=name, row=number, rule="missing"))
        if missing:
            flaws.extend(
                Flaw(
                    reason="is not a column of the model",
                    column=name[:60],
                    row=number,
                    rule="unknown",
                )
                for name in unknown
            )
        if len(flaws) >= _FLAWS:
            break
    return flaws[:_FLAWS]


class Lists:
    """Rows as lists in the order of the model's columns: `[[3, "monthly"], [5, "yearly"]]`."""

    def __init__(self, rows: Sequence[Sequence[Any]]) -> None:
        self._rows = rows
        self.count = len(rows)

    def values(self, column: str, schema: Schema) -> Sequence[Any]:
        """Return the values of a feature; empty for anything else."""
        if column not in schema.names:
            return ()
        place = schema.names.index(column)
        return [row[place] if place < len(row) else None for row in self._rows]

    def columns(self, schema: Schema) -> Sequence[Sequence[Any]]:
        """Return the features in the order of the schema."""
        width = len(schema.names)
        for number, row in enumerate(self._rows):
            if len(row) != width:
                raise refuse(
                    422,
                    f"has {len(row)} values, needs {width}, in this order: {', '.join(schema.names)}",
                    row=number,
                )
        return list(zip(*self._rows, strict=True))


class Columns:
    """Rows as one list a column, as named tensors give them."""

    def __init__(self, columns: dict[str, Sequence[Any]], count: int) -> None:
        self._columns = columns
        self.count = count

    def values(self, column: str, schema: Schema) -> Sequence[Any]:
        """Return the values of a column; empty where it was not sent."""
        del schema
        return self._columns.get(column, ())

    def columns(self, schema: Schema) -> Sequence[Sequence[Any]]:
        """Return the features in the order of the schema."""
        try:
            return [self._columns[name] for name in schema.names]
        except KeyError:
            raise RefusedError(422, _incomplete([self._columns], schema)) from None


def read_rows(body: Any, feature_names: frozenset[str]) -> tuple[Rows, bool]:
    """Return the rows of a decoded `/predict` body, and whether it was one flat row.

    Shapes: a flat object; `{"features": …}` or `{"instances": …}` around a list of values, lists, or objects; a bare
    list of lists or objects. A feature of that very name makes the object a flat row.

    Raises:
        RefusedError: 422; the body has none of these shapes, or no rows.
    """
    if isinstance(body, dict):
        for wrapper in WRAPPERS:
            if wrapper in body and wrapper not in feature_names:
                return _rows_of(body[wrapper], wrapper), False
        return Records([body]), True
    return _rows_of(body, "the body"), False


def _rows_of(given: Any, place: str) -> Rows:
    """Return the rows of a list of lists or objects, or of one row."""
    if isinstance(given, dict):
        return Records([given])
    if not isinstance(given, list):
        raise refuse(422, f"{place} must be a list of rows, or an object with one row")
    if not given:
        raise refuse(422, f"{place} has no rows")
    if all(isinstance(row, list) for row in given):
        return Lists(given)
    if all(isinstance(row, dict) for row in given):
        return Records(given)
    if not any(isinstance(row, list | dict) for row in given):
        return Lists([given])
    raise refuse(422, f"{place} mixes lists, objects and values; rows must be of one shape")


def require_once(names: Sequence[str]) -> None:
    """Refuse columns of which one is given twice.

    Raises:
        RefusedError: 422.
    """
    if len(set(names)) == len(names):
        return
    name, _ = Counter(names).most_common(1)[0]
    raise refuse(422, "is given twice", column=name[:60])


def entity_text(value: Any) -> str:
    """Return the text that stands for an entity in log and routing; empty for what is no scalar."""
    if isinstance(value, str):
        return value
    if isinstance(value, int) or (isinstance(value, float) and math.isfinite(value)):
        return as_text(value)
    return ""
