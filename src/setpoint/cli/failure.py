"""Errors at the command line: what is printed, and the exit code."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

import typer

from setpoint.errors import (
    BundleError,
    ContractError,
    DataError,
    DeploymentError,
    MeasurementError,
    SetpointError,
    UsageError,
)

PASSED, FAILED, USAGE, INCONCLUSIVE, WAITING = 0, 1, 2, 3, 4
"""Exit codes of every command."""

_CODES: tuple[tuple[type[SetpointError], int], ...] = (
    (ContractError, USAGE),
    (UsageError, USAGE),
    (DataError, USAGE),
    (BundleError, USAGE),
    (DeploymentError, USAGE),
    (MeasurementError, INCONCLUSIVE),
)


def exit_code(error: SetpointError) -> int:
    """Return the exit code of an error; 1 where none is its own."""
    return next((code for kind, code in _CODES if isinstance(error, kind)), FAILED)


@contextmanager
def refusals(*, json: bool = False) -> Iterator[None]:
    """Print an error that is raised inside, and leave with its exit code."""
    try:
        yield
    except SetpointError as error:
        if json:
            import msgspec

            found = {"error": str(error), "kind": type(error).__name__}
            print(msgspec.json.encode(found).decode())
        print(f"setpoint: {error}", file=sys.stderr)
        raise typer.Exit(exit_code(error)) from error
