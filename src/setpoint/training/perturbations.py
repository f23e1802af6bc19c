"""What-ifs: the test rows with one column changed, answered by the candidate."""

import numpy as np
import pandas as pd

from setpoint.errors import DataError
from setpoint.facts.evidence import Ints, Perturbation, Scores
from setpoint.facts.training import Perturb
from setpoint.training.model import Model


def perturbed(
    model: Model, frame: pd.DataFrame, answers: Scores, ask: Perturb, seed: int
) -> Perturbation:
    """Change one column of the rows and answer them.

    A swap gives each row another value that was observed in the column, uniformly among the others; `add` raises the
    number. Rows where the column is missing, or has no other value, are not changed and not among the result. A
    column that is no input of the model leaves its answers as they are.

    Args:
        model: The candidate.
        frame: Test rows.
        answers: The candidate's answers on them.
        ask: What to change.
        seed: Seed of the swap.

    Raises:
        DataError: The column holds no numbers, and should be raised.
    """
    if ask.column not in frame.columns:
        return Perturbation(gate=ask.gate, scores=answers, rows=np.arange(len(frame)))
    column = frame[ask.column].to_numpy()
    rows = np.flatnonzero(~pd.isna(column)).astype(np.int64)
    changed = frame.iloc[rows].reset_index(drop=True)
    if ask.add is None:
        values, codes = np.unique(column[rows], return_inverse=True)
        if len(values) < 2:  # noqa: PLR2004  one value has no other
            rows, changed = rows[:0], changed.iloc[:0]
        else:
            changed[ask.column] = values[_other(codes, len(values), seed)]
    elif column.dtype == object:
        msg = f"gate {ask.gate} adds {ask.add:g} to {ask.column!r}, which holds no numbers"
        raise DataError(msg)
    else:
        changed[ask.column] = column[rows] + ask.add
    return Perturbation(gate=ask.gate, scores=model.answer(changed), rows=rows)


def _other(codes: Ints, count: int, seed: int) -> Ints:
    """Return for each code another one, uniformly among the others."""
    turn = np.random.default_rng(seed).integers(1, count, size=len(codes))
    return np.asarray((codes + turn) % count, dtype=np.int64)
