"""What one version answered over a stretch of the loop's axis, with the outcomes known so far. Arrays, not JSON."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import pyarrow as pa

from setpoint.facts.evidence import Bools, Floats, Ints, Scores


@dataclass(frozen=True, kw_only=True)
class Scored:
    """What one version answered and how that turned out, without the inputs.

    Args:
        version: Which version answered.
        start: First tick of the stretch.
        end: Tick after its last.
        at: Tick of each answer, ascending, shape (n,).
        scores: What was answered.
        classes: Class names in the order of the codes; empty for regression.
        truth_label: True class code, -1 where unknown, shape (n,); empty for regression.
        truth_value: True value, NaN where unknown, shape (n,); empty for classification.
        known: Rows whose outcome is known, shape (n,).
    """

    version: int
    start: float
    end: float
    at: Floats
    scores: Scores
    classes: tuple[str, ...]
    truth_label: Ints
    truth_value: Floats
    known: Bools


@dataclass(frozen=True, kw_only=True)
class Answers(Scored):
    """The answers of one version with what they were answers to.

    Args:
        table: The inputs, one column each, n rows in order of time.
        failed: Requests of the stretch that got no answer.
        withheld: Inputs that are not in the table, since the log has not all of them as they were: what was done to
            each, as `setpoint.facts.log_rule` says it, by name.
    """

    table: pa.Table
    failed: int = 0
    withheld: Mapping[str, str] = field(default_factory=dict)
