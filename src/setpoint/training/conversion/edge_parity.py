"""Whether two models answer edge rows the same, and refuse the same ones."""

import warnings

import numpy as np
import pandas as pd

from setpoint.facts.evidence import Ints, Scores
from setpoint.training.conversion.parity import differing
from setpoint.training.model import Model


def differing_at_edges(native: Model, other: Model, edges: pd.DataFrame) -> str:
    """Return how answers on edge rows differ by more than is allowed; empty where they agree.

    A row that the native model refuses, such as one with a category that it never met, must be refused by the other
    one too: an answer where there was none is a wrong one.
    """
    answered, reason = _answered(native, edges)
    rows = edges.iloc[answered]
    if len(rows) and (difference := differing(_quietly(native, rows), _quietly(other, rows))):
        return difference
    refused = edges.drop(index=edges.index[answered])
    wrongly, _ = _answered(other, refused)
    if len(wrongly):
        return f"{len(wrongly)} of {len(edges)} rows are answered that the native model refuses: {reason}"
    return ""


def first_words(error: Exception) -> str:
    """Return an error's kind and the first line of what it says."""
    first = str(error).strip().split("\n")[0][:300]
    return f"{type(error).__name__}: {first}"


def _answered(model: Model, rows: pd.DataFrame) -> tuple[Ints, str]:
    """Return the positions of the rows that a model answers, and why it refuses one of the others."""
    if not len(rows):
        return np.empty(0, np.int64), ""
    try:
        _quietly(model, rows)
    except Exception as error:  # noqa: BLE001  estimators raise whatever they like; it is told, not hidden
        if len(rows) == 1:
            return np.empty(0, np.int64), first_words(error)
    else:
        return np.arange(len(rows)), ""
    middle = len(rows) // 2
    first, early = _answered(model, rows.iloc[:middle])
    second, late = _answered(model, rows.iloc[middle:])
    return np.concatenate([first, second + middle]), early or late


def _quietly(model: Model, rows: pd.DataFrame) -> Scores:
    """Return answers without what libraries say of strange rows."""
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        return model.answer(rows)
