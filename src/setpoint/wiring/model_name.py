"""Holds the name of a model that somebody asks for against those that a project has."""

from collections.abc import Sequence
from pathlib import Path

from setpoint.errors import UsageError


def require_model(wanted: str, known: Sequence[str], folder: Path) -> None:
    """Refuse a name that no model of a project has; an empty name fits any, and no known names are no reason.

    Raises:
        UsageError: No model has it.
    """
    if wanted and known and wanted not in known:
        msg = f"--model {wanted}: there is no such model in {folder}; there is: {', '.join(known)}"
        raise UsageError(msg)
