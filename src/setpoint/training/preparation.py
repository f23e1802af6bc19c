"""Preparing columns for an estimator, with scikit-learn's own parts, so that any client can load the pipeline.

Three ways, by what the estimator can take:

- *trees that take missing values* (histogram boosting, LightGBM, XGBoost, CatBoost): categories become ordinal codes,
  missing and unseen ones NaN;
- *other trees*: ordinal codes with -1 for missing and unseen, medians for missing numbers;
- *everything else*: one-hot columns (none set for unseen), medians, unit variance.

Columns without any value among the rows to fit on are left out; they say nothing, and some parts refuse them.
"""

from typing import Any

import numpy as np
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler

from setpoint.errors import DataError

_ONE_HOT_AT_MOST = 100  # columns for one category; rarer values share one

_TAKES_MISSING = frozenset(
    {
        "CatBoostClassifier",
        "CatBoostRegressor",
        "HistGradientBoostingClassifier",
        "HistGradientBoostingRegressor",
        "LGBMClassifier",
        "LGBMRegressor",
        "XGBClassifier",
        "XGBRFClassifier",
        "XGBRFRegressor",
        "XGBRegressor",
    }
)
_TREES = frozenset(
    {
        "DecisionTreeClassifier",
        "DecisionTreeRegressor",
        "ExtraTreeClassifier",
        "ExtraTreeRegressor",
        "ExtraTreesClassifier",
        "ExtraTreesRegressor",
        "GradientBoostingClassifier",
        "GradientBoostingRegressor",
        "RandomForestClassifier",
        "RandomForestRegressor",
    }
)


def prepared(estimator: Any, frame: pd.DataFrame) -> Pipeline:
    """Return an unfitted pipeline of column preparation and `estimator`, for rows like `frame`.

    Raises:
        DataError: No column has a value.
    """
    name = type(estimator).__name__
    missing = frame.isna().all(axis=0).to_numpy()
    is_text = np.array([dtype.kind == "O" for dtype in frame.dtypes], dtype=np.bool_)
    columns = frame.columns.to_numpy()
    texts = columns[is_text & ~missing].tolist()
    numbers = columns[~is_text & ~missing].tolist()
    if not texts and not numbers:
        msg = f"none of the {len(columns)} input columns has a value among the {len(frame)} rows to fit on"
        raise DataError(msg)
    if name in _TAKES_MISSING:
        steps = [("texts", _ordinal(np.nan), texts), ("numbers", "passthrough", numbers)]
    elif name in _TREES:
        steps = [
            ("texts", _ordinal(-1), texts),
            ("numbers", SimpleImputer(strategy="median"), numbers),
        ]
    else:
        steps = [("texts", _one_hot(), texts), ("numbers", _standard(), numbers)]
    transformer = ColumnTransformer(
        [step for step in steps if step[2]], remainder="drop", verbose_feature_names_out=False
    )
    return Pipeline([("prepare", transformer), ("model", estimator)])


def _ordinal(unknown: float) -> OrdinalEncoder:
    return OrdinalEncoder(
        handle_unknown="use_encoded_value", unknown_value=unknown, encoded_missing_value=unknown
    )


def _one_hot() -> OneHotEncoder:
    return OneHotEncoder(
        handle_unknown="ignore", max_categories=_ONE_HOT_AT_MOST, sparse_output=False
    )


def _standard() -> Pipeline:
    return Pipeline([("fill", SimpleImputer(strategy="median")), ("scale", StandardScaler())])
