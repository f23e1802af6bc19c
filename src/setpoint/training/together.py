"""How many rows a model must be asked about at once, so that an answer never shows which other rows were asked about.

A number is the same wherever it is calculated, but for its last bits: linear algebra takes one way for one row and
another for many, and the last few numbers of an array go one by one. Many models are above that: trees, and what is
converted to ONNX in a form of ours. Of the others, most answer alike as soon as rows come in multiples of eight, the
most numbers that a register holds. A gateway and a batch that both keep to it give the same answers to the bit.
"""

import numpy as np
import numpy.typing as npt
import pandas as pd

from setpoint.facts.evidence import Scores
from setpoint.training.frame import laid_out
from setpoint.training.model import Model

REGISTER = 8
"""Rows that are asked about together where it matters, or a multiple."""

_ROWS_AT_ONCE = (2, 3, 5, 13, 64)


def settled(model: Model, frame: pd.DataFrame) -> Model:
    """Return the model, asked about as few rows together as make its answers the same whatever is asked about besides.

    Where even eight do not, its form says 0: then the last bits of its answers stay open.

    Args:
        model: A model that is asked about any number of rows.
        frame: Rows to try it on; each is asked about alone too.
    """
    if not rows_matter(model, frame):
        return model
    together = model.asked_together(REGISTER)
    return model.asked_together(0) if rows_matter(together, frame) else together


def rows_matter(model: Model, frame: pd.DataFrame) -> bool:
    """Return whether an answer shows which other rows were asked about.

    Args:
        model: The model, which meets its form's `together` itself.
        frame: Rows to ask about, each alone and with others.
    """
    rows = len(frame)
    alone = _answered(model, frame, 1)
    return any(
        not np.array_equal(alone, _answered(model, frame, size), equal_nan=True)
        for size in (*_ROWS_AT_ONCE, rows)
        if size <= rows
    )


def _answered(model: Model, frame: pd.DataFrame, size: int) -> npt.NDArray[np.float64]:
    """Return the answers to rows that are asked about so many at a time."""
    starts = range(0, len(frame), size)
    features = model.form.features
    parts = (laid_out(frame.iloc[at : at + size], features) for at in starts)
    return np.concatenate([_numbers(model.answer(part)) for part in parts])


def _numbers(scores: Scores) -> npt.NDArray[np.float64]:
    if scores.value.size:
        return scores.value
    return scores.probability if scores.probability.size else scores.label.astype(np.float64)
