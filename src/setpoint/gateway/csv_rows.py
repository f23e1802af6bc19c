"""Rows in CSV, read as pandas reads them under a model's signature: a header, and missing values as it writes them."""

import csv
import io
import re
from collections.abc import Sequence
from typing import Any

from setpoint.gateway.column_check import ColumnRule, as_text
from setpoint.gateway.refusal import refuse
from setpoint.gateway.rows import Columns, Rows
from setpoint.gateway.schema import Schema

_MISSING = frozenset(
    ("", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN", "<NA>", "N/A", "NA",
     "NULL", "NaN", "None", "n/a", "nan", "null")
)  # fmt: skip
"""Texts that pandas takes for a missing value."""

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_LONGEST = 400  # characters of a number: Python refuses to read integers of thousands of digits
_TRUTH = {"true": True, "false": False}


def read_csv(body: bytes, schema: Schema) -> Rows:
    """Return the rows of a CSV body with a header; columns that the schema does not know stay text.

    Raises:
        RefusedError: 400 it is no CSV in UTF-8; 422 it has no rows, or they do not fit the header.
    """
    try:
        text = body.decode("utf-8-sig")
        lines = [line for line in csv.reader(io.StringIO(text, newline="")) if line]
    except UnicodeDecodeError as error:
        raise refuse(400, f"the body cannot be read as UTF-8: {error}"[:300]) from error
    except csv.Error as error:
        raise refuse(400, f"the body cannot be read as CSV: {error}"[:300]) from error
    if len(lines) < 2:  # noqa: PLR2004 (a header and a row)
        raise refuse(422, "the CSV has no rows below its header")
    header, rows = lines[0], lines[1:]
    for name in header:
        if header.count(name) > 1:
            raise refuse(422, "is given twice", column=name[:60])
    for number, row in enumerate(rows):
        if len(row) > len(header):
            said = f"has {len(row)} values, the header has {len(header)} names"
            raise refuse(422, said, row=number)
    return Columns(_columns(header, rows, schema), len(rows))


def _columns(
    header: Sequence[str], rows: Sequence[Sequence[str]], schema: Schema
) -> dict[str, Sequence[Any]]:
    """Return what the cells say to their columns; a row that ends early misses its last ones."""
    rules = {rule.name: rule for rule in schema.document.columns}
    other = ColumnRule(name="", kind="text")
    return {
        name: [
            _value(row[place] if place < len(row) else "", rules.get(name, other)) for row in rows
        ]
        for place, name in enumerate(header)
    }


def _value(text: str, rule: ColumnRule) -> Any:
    """Return what a cell says to its column; a text that the contract lists is a value, whatever it looks like."""
    if rule.kind in ("category", "text"):
        missing = text in _MISSING and text not in map(as_text, rule.values or ())
        return None if missing else text
    word = text.strip()
    if word in _MISSING:
        return None
    if rule.kind == "bool" and (truth := _TRUTH.get(word.lower())) is not None:
        return truth
    if len(word) > _LONGEST or not _NUMBER.fullmatch(word):
        return text
    return float(word) if set(word) & set(".eE") else int(word)
