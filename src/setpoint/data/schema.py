"""The contract's columns as a pandera schema, and the bridge from typed Arrow columns to the frame it reads."""

from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

import pandas as pd
import pandera.pandas as pandera
import pyarrow as pa

from setpoint.data.columns import ColumnUse
from setpoint.facts.classes import label_text

UNSEEN_SHARE = 0.05
"""Share of values outside `values` that a batch may bring: a new category is news before it is a fault."""

Bound = float | datetime


def bounds_of(use: ColumnUse) -> tuple[Bound | None, Bound | None]:
    """Return smallest and largest allowed value as the typed column compares: numbers, or moments in UTC."""
    return _bound(use.rules.min, use), _bound(use.rules.max, use)


def allowed_values(use: ColumnUse) -> list[Any]:
    """Return the allowed values as the typed column holds them; empty where the contract lists none."""
    values = use.rules.values or ()  # noqa: PD011 - a contract, no frame
    if use.type in ("category", "text"):
        return [label_text(value) for value in values]
    return list(values)


@lru_cache(maxsize=64)
def compile_schema(columns: tuple[ColumnUse, ...]) -> pandera.DataFrameSchema:
    """Return the schema of these columns: ranges, allowed values, missing values, uniqueness.

    Types are not in it: the typed table has them already, and what did not fit is counted there.
    """
    return pandera.DataFrameSchema({use.name: _column(use) for use in columns if has_checks(use)})


def has_checks(use: ColumnUse) -> bool:
    """Return whether the contract says anything of the column's values, beyond their type."""
    rules = use.rules
    said = (rules.min, rules.max, rules.values, rules.nulls)  # noqa: PD011 - a contract, no frame
    return rules.unique or any(rule is not None for rule in said)


def frame_of(table: pa.Table, columns: tuple[ColumnUse, ...]) -> pd.DataFrame:
    """Return the checked columns of a typed table as a frame with a plain index."""
    known = set(table.column_names)
    names = [use.name for use in columns if has_checks(use) and use.name in known]
    frame: pd.DataFrame = table.select(names).to_pandas()
    return frame


def _column(use: ColumnUse) -> pandera.Column:
    rules = use.rules
    checks = []
    low, high = bounds_of(use)
    if low is not None and high is not None:
        checks.append(pandera.Check.in_range(low, high, name="range"))
    elif low is not None:
        checks.append(pandera.Check.ge(low, name="range"))
    elif high is not None:
        checks.append(pandera.Check.le(high, name="range"))
    if values := allowed_values(use):
        checks.append(pandera.Check(_Known(values), name="values", ignore_na=True))
    if rules.nulls is not None:
        checks.append(pandera.Check(_Present(float(rules.nulls)), name="nulls", ignore_na=False))
    return pandera.Column(None, checks, nullable=True, unique=rules.unique, required=False)


class _Known:
    """Whether few enough values are outside the allowed ones."""

    def __init__(self, values: list[Any]) -> None:
        self._values = values

    def __call__(self, column: pd.Series) -> bool:
        return bool((~column.isin(self._values)).sum() <= UNSEEN_SHARE * len(column))


class _Present:
    """Whether few enough values are missing."""

    def __init__(self, limit: float) -> None:
        self._limit = limit

    def __call__(self, column: pd.Series) -> bool:
        return bool(column.isna().sum() <= self._limit * len(column))


def _bound(raw: float | str | None, use: ColumnUse) -> Bound | None:
    if raw is None or use.type not in ("int", "float", "datetime"):
        return None
    if isinstance(raw, str):
        moment = datetime.fromisoformat(raw)
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return raw
