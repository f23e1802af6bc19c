"""Rows in CSV, read as pandas reads them under a model's signature: a header, and missing values as it writes them."""

import csv
import io
import re
from collections.abc import Mapping, Sequence
from typing import Any

from setpoint.gateway.rows.column_check import ColumnRule, as_text
from setpoint.gateway.rows.rows import Columns, Rows, require_once
from setpoint.gateway.wire.refusal import refuse

_MISSING = frozenset(
    ("", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN", "<NA>", "N/A", "NA",
     "NULL", "NaN", "None", "n/a", "nan", "null")
)  # fmt: skip
"""Texts that pandas takes for a missing value."""

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_LONGEST = 400  # characters of a number: Python refuses to read integers of thousands of digits
_TRUTH = {"true": True, "false": False}


def read_csv(body: bytes, rules: Mapping[str, ColumnRule], most: int) -> Rows:
    """Return the rows of a CSV body with a header.

    Args:
        body: The body.
        rules: What the columns hold that are wanted, by name; further ones are not looked at.
        most: Rows that a request may have.

    Raises:
        RefusedError: 400 it is no CSV in UTF-8; 413 it has too many rows; 422 it has none, or they do not fit the
            header.
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
    if len(rows) > most:
        raise refuse(413, f"{len(rows)} rows, a request may have up to {most}")
    require_once(header)
    for number, row in enumerate(rows):
        if len(row) > len(header):
            said = f"has {len(row)} values, the header has {len(header)} names"
            raise refuse(422, said, row=number)
    columns = {
        name: _column(rows, place, rules[name]) if name in rules else ()
        for place, name in enumerate(header)
    }
    return Columns(columns, len(rows))


def _column(rows: Sequence[Sequence[str]], place: int, rule: ColumnRule) -> Sequence[Any]:
    """Return what the cells say to their column; a row that ends early misses its last ones."""
    return [_value(row[place] if place < len(row) else "", rule) for row in rows]


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
