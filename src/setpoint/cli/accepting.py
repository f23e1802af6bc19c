"""`--accept NAME`: the same names for every command that takes it."""

from collections.abc import Iterable


def accepted_names(given: Iterable[str] | None) -> tuple[str, ...]:
    """Return the names of the checks that a person accepts.

    Raises:
        UsageError: One is no check that can be accepted.
    """
    from setpoint.errors import UsageError
    from setpoint.facts.report import ACCEPTABLE

    names = tuple(given or ())
    for name in names:
        if name not in ACCEPTABLE:
            allowed = ", ".join(ACCEPTABLE)
            msg = f"--accept {name}: there is no such check to accept; there are {allowed}"
            raise UsageError(msg)
    return names
