"""The page of a validation report: a sentence, then every check with its reason and sample."""

from setpoint.clock import say_tick
from setpoint.facts.report import ValidationReport
from setpoint.reports.page import page
from setpoint.reports.validation_view import validation_view


def validation_page(
    report: ValidationReport, *, contract: str = "", at: float | None = None
) -> str:
    """Return a validation report as one self-contained HTML page.

    Args:
        report: The report.
        contract: What the table was held against, in words: a contract's name and digest, or a schema.
        at: When it was checked, in seconds since 1970-01-01 UTC.
    """
    view = validation_view(report)
    return page(
        "validation.html",
        title=f"Validation of {report.source}",
        report=report,
        contract=contract,
        checked=None if at is None else f"{say_tick(at, 'time')} UTC",
        summary=view.summary,
        told=view.told,
        notes=view.notes,
        quiet=view.quiet,
        names_to_accept=view.names_to_accept,
    )
