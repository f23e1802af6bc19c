"""The page of a validation report: a sentence, then every check with its reason and sample."""

from setpoint.facts.report import ValidationReport
from setpoint.reports.page import page
from setpoint.reports.validation_view import validation_view


def validation_page(report: ValidationReport) -> str:
    """Return a validation report as one self-contained HTML page."""
    view = validation_view(report)
    return page(
        "validation.html",
        title=f"Validation of {report.source}",
        report=report,
        summary=view.summary,
        told=view.told,
        notes=view.notes,
        quiet=view.quiet,
        names_to_accept=view.names_to_accept,
    )
