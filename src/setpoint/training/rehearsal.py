"""A tiny fit, for a process that others are forked from: what scikit-learn loads late is then loaded for all."""

import numpy as np
import pandas as pd

from setpoint.facts.training import Recipe
from setpoint.training.estimators import fitted
from setpoint.training.threads import limited_threads

_ROWS = 40
_TASKS = ("binary", "regression")


def rehearse() -> None:
    """Fit and ask both kinds of `auto` on made-up rows, in one thread: OpenMP's pool would not survive a fork."""
    halves = np.arange(_ROWS) % 2
    frame = pd.DataFrame(
        {
            "number": np.arange(_ROWS, dtype=np.float64),
            "text": np.array(["a", "b"], dtype=object)[halves],
        }
    )
    with limited_threads(_ROWS, len(frame.columns), 1):
        for task in _TASKS:
            recipe = Recipe(
                estimator="auto",
                params={"max_iter": 1},
                task=task,
                target="",
                positive="",
                features=(),
                threshold=0.5,
                seed=0,
                time_limit_s=0.0,
                memory_limit=0,
            )
            fitted(recipe, frame, halves).predict(frame)
