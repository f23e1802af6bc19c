"""A validation report as one HTML page that needs nothing else."""

from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from setpoint.facts.report import Check, ValidationReport

_STYLE = (
    "body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:70rem;padding:0 1rem;color:#1a1d21}"
    "table{border-collapse:collapse;width:100%}th,td{text-align:left;padding:.35rem .6rem;"
    "border-bottom:1px solid #e3e6ea;vertical-align:top}th{font-weight:600}"
    ".fail,.error{color:#a8201a;font-weight:600}.inconclusive{color:#8a5a00;font-weight:600}.pass{color:#1f6f43}"
    "td.n{text-align:right;font-variant-numeric:tabular-nums}"
)


def validation_page(report: "ValidationReport") -> str:
    """Return the page: a sentence, then every check with its reason and sample."""
    blocking = len(report.blocking)
    verdict = f"{blocking} checks fail" if blocking else "no check fails"
    rows = "\n".join(_row(check, accepted=check.name in report.accepted) for check in report.checks)
    return (
        '<!doctype html>\n<html lang="en"><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width">'
        f"<title>Validation of {escape(report.source)}</title><style>{_STYLE}</style>\n"
        f"<h1>Validation of {escape(report.source)}</h1>\n"
        f"<p>{report.rows:,} rows, {len(report.checks):,} checks: {verdict}.</p>\n"
        "<table><thead><tr><th>Check</th><th>Column</th><th>Verdict</th><th>Rows</th><th>Why</th>"
        f"<th>For example</th></tr></thead>\n<tbody>\n{rows}\n</tbody></table></html>\n"
    )


def _row(check: "Check", *, accepted: bool) -> str:
    verdict = check.verdict.verdict
    words = (
        f"{verdict}, accepted" if accepted and verdict != "pass" and check.acceptable else verdict
    )
    sample = "; ".join(
        f"row {row['row']}" + (f": {row['value']}" if "value" in row else "")
        for row in check.sample
    )
    cells = (
        f"<td>{escape(check.name)}</td><td>{escape(check.column)}</td>"
        f'<td class="{verdict}">{escape(words)}</td><td class="n">{check.failing:,}</td>'
        f"<td>{escape(check.verdict.reason)}</td><td>{escape(sample)}</td>"
    )
    return f"<tr>{cells}</tr>"
