"""Every error that Setpoint raises on purpose, sorted by whose fault it is.

```
SetpointError
├── ContractError        what the contract says cannot be read or cannot be met
├── UsageError           a command was asked for something that makes no sense
├── DataError            a table cannot be read, or is not what the contract says
│   ├── SourceError      the source is not there, truncated, or of an unknown format
│   ├── EmptyTableError  no rows where rows are needed
│   ├── UnknownPredictionError  an outcome names a prediction that the log does not hold
│   └── OutcomeConflictError    an outcome contradicts the one that is already known
├── MeasurementError     something could not be measured (a verdict turns it into `error`)
│   ├── TooFewSamplesError
│   └── UndefinedMetricError
├── TrainingError        the training function failed, hung, or ate more than its limit
├── JournalError         the state or the ledger cannot be read or written
│   ├── StaleStateError  somebody else committed first; observe again
│   └── LedgerBrokenError  an entry was altered, removed or added
├── RegistryError        the model registry answered with an error
├── BundleError          a model bundle is missing, altered or may not be loaded
├── DeploymentError      a deployment document is unreadable or contradicts itself
├── FetchError           an address on the web did not give what was asked of it
└── TokenError           a bearer token is not one that this gateway takes
    └── UnknownSignerError  it names a key that its issuer is not known to have
```

An error carries its facts as fields and writes its own message. No error knows an HTTP status or an
exit code: those tables live at the doors (`cli`, `gateway`).
"""

from collections.abc import Sequence
from dataclasses import dataclass


class SetpointError(Exception):
    """The root of all errors that Setpoint raises on purpose."""


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong in a contract: where it stands, what was found, what is allowed.

    Args:
        message: What is wrong, as one sentence.
        file: The file it stands in.
        line: One-based line; 0 where the place is unknown.
        column: One-based column; 0 where the place is unknown.
        path: Dotted path of the field, such as `gates[0].min`.
        found: The offending text.
        allowed: What could stand there.
        nearest: The nearest known key, for a misspelt one.
    """

    message: str
    file: str = ""
    line: int = 0
    column: int = 0
    path: str = ""
    found: str = ""
    allowed: str = ""
    nearest: str = ""

    def __str__(self) -> str:
        """Return `file:line:column: path: message`, then found, allowed and nearest if known."""
        place = ":".join(
            str(part) for part in (self.file, self.line or "", self.column or "") if part != ""
        )
        parts = [part for part in (place, self.path, self.message) if part]
        text = ": ".join(parts)
        if self.found:
            text += f"; found {self.found}"
        if self.allowed:
            text += f"; allowed: {self.allowed}"
        if self.nearest:
            text += f"; did you mean {self.nearest!r}?"
        return text


class ContractError(SetpointError):
    """A contract cannot be read, or asks for what cannot be; carries every problem at once."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


class UsageError(SetpointError):
    """A command was asked for something that makes no sense here; says what to do instead."""


class DataError(SetpointError):
    """A table cannot be read, or is not what the contract says."""


class SourceError(DataError):
    """A data source is not there, is truncated, or is of an unknown format."""

    def __init__(self, source: str, reason: str) -> None:
        self.source = source
        self.reason = reason
        super().__init__(f"cannot read {source}: {reason}")


class EmptyTableError(DataError):
    """There are no rows where rows are needed."""


class UnknownPredictionError(DataError):
    """Outcomes name predictions that the log does not hold."""

    def __init__(self, predictions: Sequence[str]) -> None:
        self.predictions = tuple(predictions)
        super().__init__(f"the log holds no prediction {', '.join(map(repr, self.predictions))}")


class OutcomeConflictError(DataError):
    """An outcome contradicts the one that is already known for its prediction."""

    def __init__(self, prediction: str, *, known: object, given: object) -> None:
        self.prediction = prediction
        self.known = known
        self.given = given
        super().__init__(
            f"the outcome of prediction {prediction!r} is already known as {known!r}, got {given!r}"
        )


class MeasurementError(SetpointError):
    """Something could not be measured; the verdict over it is `error` or `inconclusive`."""


class TooFewSamplesError(MeasurementError):
    """There are fewer rows than the method needs."""

    def __init__(self, what: str, *, needed: int, found: int) -> None:
        self.what = what
        self.needed = needed
        self.found = found
        super().__init__(f"{what} needs at least {needed} rows, got {found}")


class UndefinedMetricError(MeasurementError):
    """A metric has no value on these rows, such as ROC AUC where only one class is present."""


class TrainingError(SetpointError):
    """The training function failed, hung, or went over its limit.

    Args:
        kind: `raised`, `timeout`, `memory`, `exited`, `killed` or `nonsense`.
        reason: What happened, in one sentence.
        output: The last lines that it printed.
    """

    def __init__(self, kind: str, reason: str, *, output: str = "") -> None:
        self.kind = kind
        self.reason = reason
        self.output = output
        super().__init__(reason)


class JournalError(SetpointError):
    """The state or the ledger cannot be read or written."""


class StaleStateError(JournalError):
    """Somebody else committed since the state was read; observe again and decide anew."""

    def __init__(self, *, expected: int, found: int) -> None:
        self.expected = expected
        self.found = found
        super().__init__(f"state is at revision {found}, this pass had read revision {expected}")


class LedgerBrokenError(JournalError):
    """The hash chain does not hold: an entry was altered, removed or added."""

    def __init__(self, sequence: int, reason: str) -> None:
        self.sequence = sequence
        self.reason = reason
        super().__init__(f"ledger broken at entry {sequence}: {reason}")


class RegistryError(SetpointError):
    """The model registry answered with an error."""


class BundleError(SetpointError):
    """A model bundle is missing, altered, or may not be loaded here."""


class DeploymentError(SetpointError):
    """A deployment document is unreadable or contradicts itself."""


class FetchError(SetpointError):
    """An address on the web did not give what was asked of it, in time and within its bounds."""


class TokenError(SetpointError):
    """A bearer token is not one that this gateway takes; says why, without the token."""


class UnknownSignerError(TokenError):
    """A token names a key that its issuer is not known to have; it may have a new one."""
