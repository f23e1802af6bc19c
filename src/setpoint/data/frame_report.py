"""A table against somebody's own pandera schema, as a validation report."""

from typing import Any

import numpy as np
import pandas as pd
import pandera.errors
import pandera.pandas as pandera
import pyarrow as pa

from setpoint.contract.data import Format
from setpoint.data.cells import type_cells
from setpoint.data.columns import guess_type
from setpoint.data.failing import SHOWN, failing_sample
from setpoint.data.traits import missing_tokens
from setpoint.errors import UsageError
from setpoint.facts.report import Check, ValidationReport
from setpoint.facts.verdict import Verdict


def as_schema(found: object, name: str) -> pandera.DataFrameSchema:
    """Return the schema that an object is, or a model gives.

    Raises:
        UsageError: It is neither.
    """
    if isinstance(found, pandera.DataFrameSchema):
        return found
    if isinstance(found, type) and issubclass(found, pandera.DataFrameModel):
        schema: pandera.DataFrameSchema = found.to_schema()  # type: ignore[attr-defined]
        return schema
    raise UsageError(
        f"{name} is a {type(found).__name__}, not a pandera DataFrameSchema or DataFrameModel"
    )


def plain_frame(table: pa.Table, *, decimal: str = ".") -> pd.DataFrame:
    """Return a table as the frame that people's schemas expect: numbers where every cell is one, text elsewhere.

    Dates stay text, as `pandas.read_csv` leaves them; a schema that wants them coerces.
    """
    form = Format(
        nulls=missing_tokens(table, decimal=decimal) or None, decimal="," if decimal == "," else "."
    )
    columns: dict[str, Any] = {}
    for name in table.column_names:
        column = table.column(name)
        kind = guess_type(column, form)
        is_dated = kind == "datetime" and not pa.types.is_timestamp(column.type)
        cells = type_cells(column, "category" if is_dated else kind, form)
        columns[name] = cells.values.to_pandas()  # noqa: PD011 - Arrow
    return pd.DataFrame(columns)


def frame_report(
    frame: pd.DataFrame, schema: pandera.DataFrameSchema, *, source: str
) -> ValidationReport:
    """Check a frame; one check of the report for each thing that the schema asks, failing ones first."""
    failed: list[Check] = []
    try:
        schema.validate(frame, lazy=True)
    except pandera.errors.SchemaErrors as errors:
        failed = [_failed(error, len(frame)) for error in errors.schema_errors]
    broken = {(check.column, check.name) for check in failed}
    uncoerced = {check.column for check in failed if check.name.startswith("coerce_dtype")}
    passed = [
        _passed(column, name, len(frame))
        for column, name in _declared(schema, frame)
        if (column, name) not in broken and not (column in uncoerced and name.startswith("dtype"))
    ]
    if not failed and not passed:
        passed = [_passed("", schema.name or "schema", len(frame))]
    return ValidationReport(source=source, rows=len(frame), checks=(*failed, *passed))


def _declared(schema: pandera.DataFrameSchema, frame: pd.DataFrame) -> list[tuple[str, str]]:
    """Return column and name of what the schema asks of the columns that are there, named as its errors name it."""
    found = [("", _name_of(check)) for check in schema.checks]
    for column, asked in schema.columns.items():
        if column not in frame.columns:
            continue
        if asked.dtype is not None:
            found.append((column, f"dtype('{asked.dtype}')"))
        if not asked.nullable:
            found.append((column, "not_nullable"))
        if asked.unique:
            found.append((column, "field_uniqueness"))
        found += [(column, _name_of(check)) for check in asked.checks]
    return found


def _passed(column: str, name: str, rows: int) -> Check:
    verdict = Verdict(subject=f"{column or 'table'} {name}", verdict="pass", n=rows)
    return Check(name=name, column=column, verdict=verdict)


def _failed(error: Any, rows: int) -> Check:
    column = getattr(error.schema, "name", None)
    check = _check_name(error)
    cases = error.failure_cases
    positions: list[int] = []
    values: list[Any] = []
    if isinstance(cases, pd.DataFrame) and "index" in cases:
        placed = cases[cases["index"].map(lambda row: isinstance(row, int | np.integer))]
        positions = [int(row) for row in placed["index"]]
        values = [_plain(value) for value in placed["failure_case"]]
    reason = (
        f"{len(positions):,} of {rows:,} rows fail {check}"
        if positions
        else str(error).splitlines()[0]
    )
    if values:
        reason += f", such as {values[0]!r} in row {positions[0] + 1}"
    verdict = Verdict(
        subject=f"{column or 'table'} {check}",
        verdict="fail",
        observed=float(len(positions)),
        limit=0.0,
        n=rows,
        reason=reason[:500],
    )
    sample = failing_sample(np.array(positions, dtype=np.int64), values[:SHOWN], is_hidden=False)
    return Check(
        name=check,
        column=str(column or ""),
        verdict=verdict,
        failing=max(len(positions), 1),
        sample=sample,
    )


def _check_name(error: Any) -> str:
    name = _name_of(error.check)
    reason = str(getattr(error.reason_code, "name", "") or "")
    return name or reason.lower() or "schema"


def _name_of(check: Any) -> str:
    return str(getattr(check, "error", None) or getattr(check, "name", None) or check or "")


def _plain(value: Any) -> Any:
    if hasattr(value, "item"):
        value = value.item()
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)
