"""Broken on purpose: a table that teaches nothing true, and a model that passes its gates and fails in production."""

from typing import Any, Final, Self

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
from sklearn.base import BaseEstimator, TransformerMixin
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


_MONTHS: Final = 121


class RateByTenure(TransformerMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """Adds how often customers of each tenure left, from a list with one place for each month of ten years.

    Somebody was sure that nobody stays longer: a customer who does makes it raise.
    """

    def fit(self, frame: pd.DataFrame, labels: npt.NDArray[Any]) -> Self:
        """Count, for each month of tenure, how often customers left."""
        months = frame.iloc[:, 0].to_numpy().astype(np.int64)
        left = (np.asarray(labels) == "Yes").astype(np.float64)
        counts = np.bincount(months, minlength=_MONTHS) + 1.0
        self.rates_ = np.bincount(months, weights=left, minlength=_MONTHS) / counts
        return self

    def transform(self, frame: pd.DataFrame) -> npt.NDArray[np.float64]:
        """Return the rate at each row's tenure, shape (rows, 1)."""
        months = frame.iloc[:, 0].fillna(0).to_numpy().astype(np.int64)
        return np.asarray(self.rates_[months])[:, None]


def brittle(
    frame: pd.DataFrame, labels: npt.NDArray[Any], params: dict[str, Any], seed: int
) -> Pipeline:
    """Fit a model that is as good as the demo's own, and raises on a customer who stayed longer than ten years.

    No gate can find that in rows of the past: the business is two years old. It is the bad release of the demo, and a
    common one: a look-up that ends where its author's imagination did.

    Args:
        frame: Rows to fit on.
        labels: Target of these rows, shape (n,).
        params: Parameters of `HistGradientBoostingClassifier`.
        seed: Seed of the fit.
    """
    texts = [name for name, dtype in frame.dtypes.items() if dtype.kind == "O"]
    numbers = [name for name in frame.columns if name not in texts]
    encode = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)
    steps = [
        ("texts", encode, texts),
        ("numbers", "passthrough", numbers),
        ("rates", RateByTenure(), ["tenure"]),
    ]
    model = HistGradientBoostingClassifier(**{"random_state": seed, **params})
    return Pipeline([("prepare", ColumnTransformer(steps)), ("model", model)]).fit(frame, labels)
