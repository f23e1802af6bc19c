"""What one column of a raw table is like: its type, its gaps, how many values it has."""

import re
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from setpoint.contract.data import ColumnType, Format
from setpoint.data.cells import flat, is_text, type_cells
from setpoint.data.columns import guess_type
from setpoint.data.sniff import COMMON_TOKENS, MISSING_TOKENS

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

ID_NAME = re.compile(
    r"(?i)(^|_|\b)(id|ids|uuid|guid|key|number|no)$|[a-z]I[Dd]$|^index$|^__index_level_\d+__$"
)
MODEL_NAME = re.compile(
    r"(?i)^(y_?)?(pred|prediction|predicted|y_?hat|forecast)s?(_|$)|_(pred|prediction|y_?hat)(_proba)?$"
)
PROTECTED_NAME = re.compile(
    r"(?i)(^|[_\W])(sex|gender|race|ethnic(ity)?|religion|nationality|native[-_ ]?country"
    r"|disabilit(y|ies)|disabled)($|[_\W])"
)
_NEARLY_ALL = 0.9  # share of rows with a value of their own in a column of identifiers
_FEW_ROWS = 20


@dataclass(frozen=True)
class Trait:
    """One column, typed.

    Args:
        name: Column name.
        type: Narrowest type that its cells fit.
        values: Typed values, shape (n,); missing ones are null.
        missing: Share of missing values, 0 to 1.
        distinct: Number of different values.
    """

    name: str
    type: ColumnType
    values: pa.Array
    missing: float
    distinct: int

    @property
    def is_numeric(self) -> bool:
        """Whether the values are numbers."""
        return self.type in ("int", "float")

    @property
    def numbers(self) -> Floats:
        """Values of a numeric, bool or datetime (seconds) column as floats, shape (n,); missing ones are NaN."""
        values = self.values
        if self.type == "datetime":
            values = pc.divide(values.cast(pa.int64()).cast(pa.float64()), 1e6)
        return np.asarray(
            pc.fill_null(values.cast(pa.float64()), np.nan).to_numpy(zero_copy_only=False)
        )

    @property
    def is_missing(self) -> Bools:
        """Which values are missing, shape (n,)."""
        return np.asarray(pc.is_null(self.values).to_numpy(zero_copy_only=False))

    @property
    def counts_rows(self) -> bool:
        """Whether it numbers the rows: whole, distinct, without gaps."""
        rows = len(self.values)
        if self.type != "int" or self.missing or self.distinct != rows or rows < _FEW_ROWS:
            return False
        ends = pc.min_max(self.values).as_py()
        return bool(ends["max"] - ends["min"] == rows - 1)

    @property
    def names_rows(self) -> bool:
        """Whether it looks like an identifier: nearly every row has its own, and its name or type says so."""
        rows = len(self.values)
        is_own = (
            self.distinct >= _NEARLY_ALL * rows * (1 - self.missing) and self.distinct > _FEW_ROWS
        )
        if self.type == "int":
            return is_own and (self.counts_rows or bool(ID_NAME.search(self.name)))
        return is_own and self.type in ("text", "category")


def trait_of(name: str, column: pa.ChunkedArray, form: Format) -> Trait:
    """Return what a column is like."""
    kind = guess_type(column, form)
    cells = type_cells(column, kind, form)
    present = cells.values.drop_null()
    rows = len(cells.values)
    return Trait(
        name,
        kind,
        cells.values,
        1 - len(present) / rows if rows else 0.0,
        int(pc.count_distinct(present).as_py()),
    )


def missing_tokens(table: pa.Table, *, decimal: str = ".") -> tuple[str, ...]:
    """Return the texts that mean a missing value in a table of text columns, in alphabetical order.

    A usual token such as `?` or `NA` counts wherever it stands; others, such as `-` or `none`, only in a column whose
    other values are numbers or dates. `unknown` never does: it can be an answer.
    """
    found: set[str] = set()
    for name in table.column_names:
        column = table.column(name)
        if not is_text(column.type):
            continue
        distinct = pc.unique(pc.utf8_trim_whitespace(flat(column).cast(pa.string()))).drop_null()
        is_token = pc.is_in(distinct, value_set=pa.array(MISSING_TOKENS))
        tokens = set(distinct.filter(is_token).to_pylist())
        if not tokens:
            continue
        found |= tokens & COMMON_TOKENS
        if tokens - COMMON_TOKENS:
            others = distinct.filter(pc.and_(pc.invert(is_token), pc.not_equal(distinct, "")))
            form = Format(decimal="," if decimal == "," else ".")
            if len(others) and guess_type(pa.chunked_array([others]), form) in (
                "int",
                "float",
                "datetime",
            ):
                found |= tokens
    return tuple(sorted(found))
