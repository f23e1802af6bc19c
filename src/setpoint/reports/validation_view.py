"""A validation report sorted for people: what did not pass, what passed with a remark, what passed."""

from dataclasses import dataclass
from typing import Final

from setpoint.facts.report import Check, ValidationReport
from setpoint.reports.wording import UNKNOWN, say_count, say_limit, say_number

_SHARES: Final = frozenset({"nulls", "duplicates", "values", "label_share"})
_FAILING: Final = frozenset({"type", "range", "classes"})


@dataclass(frozen=True)
class CheckRow:
    """One check as it is shown.

    Args:
        check: The check.
        is_accepted: Whether a person let it go on although it did not pass.
        sample: Failing rows in words.
        observed: What was measured, in words; a dash where it was not.
        limit: What it was held against, in words; empty where there is none.
    """

    check: Check
    is_accepted: bool
    sample: str
    observed: str = UNKNOWN
    limit: str = ""


@dataclass(frozen=True)
class ValidationView:
    """A report sorted for people.

    Args:
        summary: What it says, in one sentence.
        told: Checks that did not pass.
        notes: Checks that passed with a remark.
        quiet: Checks that passed.
        names_to_accept: Failing checks that a person may accept.
    """

    summary: str
    told: tuple[CheckRow, ...]
    notes: tuple[CheckRow, ...]
    quiet: tuple[CheckRow, ...]
    names_to_accept: tuple[str, ...]


def validation_view(report: ValidationReport) -> ValidationView:
    """Return the report sorted for people."""
    rows = [_row(check, report) for check in report.checks]
    told = tuple(row for row in rows if row.check.verdict.verdict != "pass")
    passed = [row for row in rows if row.check.verdict.verdict == "pass"]
    # That a column has fewer missing values than it may have is no remark.
    notes = tuple(row for row in passed if row.check.verdict.reason and row.check.name != "nulls")
    return ValidationView(
        summary=_summary(report, told),
        told=told,
        notes=notes,
        quiet=tuple(row for row in passed if row not in notes),
        names_to_accept=tuple(
            sorted({check.name for check in report.blocking if check.acceptable})
        ),
    )


def _row(check: Check, report: ValidationReport) -> CheckRow:
    sample = "; ".join(
        f"row {row['row']}" + (f": {row['value']}" if "value" in row else "")
        for row in check.sample
    )
    accepted = check.acceptable and check.name in report.accepted
    verdict = check.verdict
    limit = verdict.limit
    return CheckRow(
        check,
        accepted and verdict.verdict != "pass",
        sample,
        observed=UNKNOWN if verdict.observed is None else _amount(check.name, verdict.observed),
        limit=_amount(check.name, limit) if isinstance(limit, float | int) else say_limit(limit),
    )


def _amount(name: str, value: float) -> str:
    """Return a measured value in its unit: a share of the rows, failing rows, or a bare number."""
    if name in _SHARES:
        return f"{say_number(round(100 * value, 3))} %"
    if name in _FAILING:
        return f"{int(value):,} failing"
    return f"{int(value):,}" if value == int(value) else say_number(value)


def _kept_out(rows: int) -> str:
    """Return what happens to the table: a batch goes in whole or not at all."""
    if rows == 0:
        return "the table has no rows to let in."
    return (
        f"the whole table, {say_count(rows, 'row')}, would be kept out, not the failing rows alone."
    )


def _summary(report: ValidationReport, told: tuple[CheckRow, ...]) -> str:
    if blocking := report.blocking:
        verb = "fails" if len(blocking) == 1 else "fail"
        return f"{say_count(len(blocking), 'check')} {verb}: {_kept_out(report.rows)}"
    accepted = sum(row.is_accepted for row in told)
    unclear = sum(row.check.verdict.verdict == "inconclusive" for row in told)
    parts = [
        f"{say_count(accepted, 'failing check')} accepted" if accepted else "",
        f"{say_count(unclear, 'check')} could not be judged" if unclear else "",
    ]
    rest = ", ".join(part for part in parts if part)
    return f"No check fails{f'; {rest}' if rest else ''}."
