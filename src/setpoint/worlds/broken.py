"""Broken on purpose: a table that teaches nothing true, and a model that passes its gates and fails in production."""

from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OrdinalEncoder

BRITTLE: Final = "setpoint.worlds.broken:brittle"
"""What a contract's `train.estimator` names to get `brittle`."""


def shuffled_labels(table: pa.Table, target: str, seed: int) -> pa.Table:
    """Return the table with one column shuffled: a model of it has learnt nothing, and its gates must say so.

    Args:
        table: Rows.
        target: Column to shuffle.
        seed: Seed of the order.
    """
    order = np.random.default_rng(seed).permutation(table.num_rows)
    at = table.schema.get_field_index(target)
    return table.set_column(at, table.schema.field(target), table.column(target).take(order))


def brittle(
    frame: pd.DataFrame, labels: npt.NDArray[Any], params: dict[str, Any], seed: int
) -> Pipeline:
    """Fit a model that is as good as the demo's own, and refuses a category that it has not seen in training.

    No gate can find that in rows of the past: every value of its test rows was seen. The first customer with a new
    payment method makes it raise. It is the bad release of the demo, and a common one.

    Args:
        frame: Rows to fit on.
        labels: Target of these rows, shape (n,).
        params: Parameters of `HistGradientBoostingClassifier`.
        seed: Seed of the fit.
    """
    texts = [name for name, dtype in frame.dtypes.items() if dtype.kind == "O"]
    numbers = [name for name in frame.columns if name not in texts]
    encode = OrdinalEncoder(handle_unknown="error")
    steps = [("texts", encode, texts), ("numbers", "passthrough", numbers)]
    model = HistGradientBoostingClassifier(**{"random_state": seed, **params})
    return Pipeline([("prepare", ColumnTransformer(steps)), ("model", model)]).fit(frame, labels)
