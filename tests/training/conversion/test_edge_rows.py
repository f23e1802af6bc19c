"""Tests of made-up rows at the edges."""

import numpy as np
import pandas as pd

from setpoint.facts.training import Feature
from setpoint.training.conversion.edge_rows import edge_rows

FRAME = pd.DataFrame(
    {
        "number": [1.0, 5.0, 2.5, 4.0],
        "flag": [0.0, 1.0, 1.0, 0.0],
        "plan": pd.Series(["a", "b", "a", "b"], dtype=object),
    }
)


def test_missing_unseen_and_extreme_values_are_there():
    features = (
        Feature(name="number", kind="float"),
        Feature(name="flag", kind="bool"),
        Feature(name="plan", kind="category"),
    )
    edges = edge_rows(FRAME, features)
    assert edges["number"].isna().any()
    assert edges["number"].max() > FRAME["number"].max()
    assert edges["number"].min() < FRAME["number"].min()
    assert set(edges["flag"].dropna()) == {0.0, 1.0}
    assert edges.iloc[-1].isna().all()
    assert not set(edges["plan"].dropna()) <= set(FRAME["plan"])


def test_what_the_contract_refuses_is_not_there():
    features = (
        Feature(name="number", kind="float", low=0.0, high=5.0, nullable=False),
        Feature(name="flag", kind="bool", nullable=False),
        Feature(name="plan", kind="category", values=("a", "b", "c"), nullable=False),
    )
    edges = edge_rows(FRAME, features)
    assert not edges.isna().any().any()
    assert edges["number"].between(0.0, 5.0).all()
    assert set(edges["plan"]) == {"a", "b", "c"}  # c is allowed and was never seen


def test_wide_tables_get_a_bounded_number_of_rows():
    wide = pd.DataFrame({f"c{at}": np.arange(5.0) for at in range(1000)})
    many = tuple(Feature(name=name, kind="float") for name in wide)
    assert len(edge_rows(wide, many)) <= 100 * 15 + 1
