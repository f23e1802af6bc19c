"""Tests of what two models say of edge rows, and refuse."""

import warnings

import numpy as np
import pandas as pd

from setpoint.facts.evidence import Scores
from setpoint.training.conversion.edge_parity import differing_at_edges

EDGES = pd.DataFrame({"x": np.arange(10.0)})


class Model:
    """Answers twice the number; refuses what it is told to."""

    def __init__(self, refused=(), off=0.0):
        self.refused = refused
        self.off = off

    def answer(self, frame):
        warnings.warn("strange rows", stacklevel=1)
        if bad := sorted(set(frame["x"]) & set(self.refused)):
            msg = f"never met {bad[0]}"
            raise ValueError(msg)
        values = 2 * frame["x"].to_numpy() + self.off
        return Scores(np.empty(0, np.int64), np.empty((0, 0)), values)


def test_models_that_answer_and_refuse_the_same_agree():
    assert differing_at_edges(Model(), Model(), EDGES) == ""
    assert differing_at_edges(Model([3.0, 7.0]), Model([3.0, 7.0]), EDGES) == ""


def test_an_answer_where_there_was_none_differs():
    reason = differing_at_edges(Model([3.0, 7.0]), Model([3.0]), EDGES)
    assert reason.startswith("1 of 10 rows are answered that the native model refuses: ValueError")
    everything = differing_at_edges(Model(EDGES["x"]), Model(), EDGES)
    assert everything.startswith("10 of 10 rows")


def test_another_answer_differs():
    assert "rows, by up to" in differing_at_edges(Model([3.0]), Model([3.0], off=1.0), EDGES)
