"""Seconds of single-row answers, through the runtime that the bundle will use."""

from collections.abc import Callable

import numpy as np
import pandas as pd

from setpoint.facts.evidence import Floats
from setpoint.training.model import Model

CALLS = 500
_WARM_CALLS = 20
_DISTINCT_ROWS = 50


def latencies(model: Model, frame: pd.DataFrame, stopwatch: Callable[[], float]) -> Floats:
    """Return the seconds of 500 single-row answers after warming up, shape (500,).

    Each call starts from plain values, as a gateway does, and builds the model's input from them.

    Args:
        model: The model, in the runtime of its bundle.
        frame: Rows to take turns with.
        stopwatch: Returns seconds on a clock that never jumps.
    """
    names = list(frame.columns)
    some = frame.iloc[:_DISTINCT_ROWS]
    rows = [dict(zip(names, values, strict=True)) for values in some.itertuples(index=False)]
    seconds = np.empty(CALLS)
    for call in range(-_WARM_CALLS, CALLS):
        row = rows[call % len(rows)]
        start = stopwatch()
        model.answer_one(row)
        if call >= 0:
            seconds[call] = stopwatch() - start
    return seconds
