"""The validation report: every check of a table against the contract."""

from typing import Any

import msgspec

from setpoint.facts.verdict import Verdict

ACCEPTABLE = (
    "duplicates",
    "label_share",
    "min_rows",
    "nulls",
    "range",
    "type",
    "unique",
    "values",
)
"""Names of the checks that a person may accept; what the others find cannot be learnt from at all."""


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """One check of a table.

    Args:
        name: `type`, `range`, `nulls`, `values`, `unique`, `min_rows`, `duplicates`, `one_class`, `label_share` …
        column: Column it is about, or empty for the whole table.
        verdict: What it says.
        failing: Number of failing rows.
        sample: Up to five failing rows as row number and value; never a key or a protected column.
        acceptable: Whether `--accept NAME` lets a person go on.
    """

    name: str
    column: str = ""
    verdict: Verdict
    failing: int = 0
    sample: tuple[dict[str, Any], ...] = ()
    acceptable: bool = False


class ValidationReport(msgspec.Struct, frozen=True, kw_only=True):
    """All checks of one table.

    Args:
        source: What was checked.
        rows: Rows of the table.
        checks: Every check, failing ones first.
        accepted: Names of failing checks that a person accepted.
    """

    source: str
    rows: int
    checks: tuple[Check, ...]
    accepted: tuple[str, ...] = ()

    @property
    def blocking(self) -> tuple[Check, ...]:
        """Checks that stop a pass: failed or in error, and not accepted."""
        return tuple(
            check
            for check in self.checks
            if check.verdict.verdict in ("fail", "error")
            and not (check.acceptable and check.name in self.accepted)
        )
