"""What one version answered in a window, and what is known by now of how right it was."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from setpoint.facts.evidence import Bools, Floats, Scores
from setpoint.facts.signal import Window

Truth = npt.NDArray[Any]


def no_scores() -> Scores:
    """Return answers to no rows."""
    return Scores(
        label=np.empty(0, dtype=np.int64), probability=np.empty((0, 0)), value=np.empty(0)
    )


@dataclass(frozen=True)
class Answered:
    """What one version answered in one window, in order of time.

    Args:
        window: From when to when, and by which version; `rows` is ignored in favour of the features.
        classes: Class names in the order of the codes; empty for regression.
        features: Inputs of the answered rows, typed as in training, n rows. Or columns by name.
        scores: The answers, shape (n,) and (n, classes).
        truth: True class code or value, shape (n,); whatever where it is not known. Empty for none known.
        known: Where the truth is known, shape (n,). Empty for none known.
        ordered: Rows stand in order of time, so that neighbours may resemble each other.
        failed: Requests that got no answer; None where nobody counts them.
        latency_s: Seconds of each answered request, shape (requests,); None where nobody measures them.
        withheld: Inputs that the log has not as they were: what was done to each, by name.
    """

    window: Window
    classes: tuple[str, ...]
    features: pa.Table | Mapping[str, Any]
    scores: Scores = field(default_factory=no_scores)
    truth: Truth = field(default_factory=lambda: np.empty(0))
    known: Bools = field(default_factory=lambda: np.empty(0, dtype=np.bool_))
    ordered: bool = True
    failed: int | None = None
    latency_s: Floats | None = None
    withheld: Mapping[str, str] = field(default_factory=dict)

    @property
    def table(self) -> pa.Table:
        """The features as a table."""
        if isinstance(self.features, pa.Table):
            return self.features
        return pa.table(dict(self.features))

    @property
    def rows(self) -> int:
        """Rows that were answered, n."""
        return max(int(self.table.num_rows), len(self.scores.label), len(self.scores.value))


@dataclass(frozen=True)
class Outcomes:
    """All labelled rows of one version since its release, in the order in which their labels arrived.

    The order matters: a look must only ever append to what an earlier look saw.

    Args:
        classes: Class names in the order of the codes; empty for regression.
        scores: The version's answers to these rows, shape (n,) and (n, classes).
        truth: True class code or value, shape (n,).
        due: Answers since the release whose label could have arrived by now; None takes n.
        ordered: Rows stand in order of time, so that neighbours may resemble each other.
    """

    classes: tuple[str, ...]
    scores: Scores
    truth: Truth
    due: int | None = None
    ordered: bool = True


@dataclass(frozen=True)
class AtRelease:
    """The watched metric of a version on the gate's rows, by which it was released.

    Args:
        value: The value.
        low: Lower bound of its interval.
        high: Upper bound of its interval.
    """

    value: float
    low: float
    high: float
