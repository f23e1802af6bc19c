"""A table against the contract: every check with its verdict.

A batch is judged as it is, not as a sample: a share of missing values over the limit fails, however few the rows.
Only what is said of the labels, and of new categories, is held against chance. Samples of failing rows never show a
key or a protected column.
"""

from collections.abc import Collection

import pyarrow as pa

from setpoint.contract.contract import Contract
from setpoint.data.column_checks import column_checks, type_checks
from setpoint.data.conform import Conformed, conform
from setpoint.data.label_checks import label_checks
from setpoint.data.labels import LabelReference
from setpoint.data.table_checks import table_checks
from setpoint.facts.report import ValidationReport
from setpoint.facts.verdict import Ruling

_ORDER: dict[Ruling, int] = {"error": 0, "fail": 1, "inconclusive": 2, "pass": 3}


def validate(
    table: pa.Table | Conformed,
    contract: Contract,
    *,
    reference: LabelReference | None = None,
    accepted: Collection[str] = (),
    source: str = "",
) -> ValidationReport:
    """Check a table against the contract.

    Args:
        table: Raw rows, typed rows, or rows typed before, with what did not fit.
        contract: Has a section `data` and a task.
        reference: Labels of the champion's training rows, for `label_share`.
        accepted: Names of checks that a person accepted.
        source: What is checked, for people.

    Raises:
        ContractError: The contract has no section `data`, or no task.
        DataError: Two columns of the table share a name.

    Returns:
        Every check; errors first, then failures, what is inconclusive, and what passes.
    """
    typed = table if isinstance(table, Conformed) else conform(table, contract)
    data = contract.require_data()
    hidden = {*data.protected, data.key}
    checks = [
        *table_checks(typed, data),
        *type_checks(typed, data, hidden),
        *column_checks(typed, hidden),
        *label_checks(typed.table, contract, reference),
    ]
    checks.sort(key=lambda check: _ORDER[check.verdict.verdict])
    return ValidationReport(
        source=source,
        rows=typed.table.num_rows,
        checks=tuple(checks),
        accepted=tuple(sorted(accepted)),
    )
