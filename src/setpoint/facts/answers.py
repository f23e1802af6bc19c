"""What one version answered over a stretch of the loop's axis, with the outcomes known so far. Arrays, not JSON."""

from dataclasses import dataclass

import pyarrow as pa

from setpoint.facts.evidence import Bools, Floats, Ints, Scores


@dataclass(frozen=True)
class Answers:
    """The answers of one version.

    Args:
        version: Which version answered.
        start: First tick of the stretch.
        end: Tick after its last.
        table: The inputs, one column each, n rows in order of time.
        at: Tick of each answer, shape (n,).
        scores: What was answered.
        classes: Class names in the order of the codes; empty for regression.
        truth_label: True class code, -1 where unknown, shape (n,); empty for regression.
        truth_value: True value, NaN where unknown, shape (n,); empty for classification.
        known: Rows whose outcome is known, shape (n,).
        failed: Requests of the stretch that got no answer.
    """

    version: int
    start: float
    end: float
    table: pa.Table
    at: Floats
    scores: Scores
    classes: tuple[str, ...]
    truth_label: Ints
    truth_value: Floats
    known: Bools
    failed: int = 0
