"""Made-up rows at the edges of what a gateway lets through, where a conversion is most likely to be wrong."""

from typing import Any

import numpy as np
import pandas as pd

from setpoint.facts.training import Feature
from setpoint.training.frame import is_numeric

_FEATURES = 100  # that get rows of their own
_UNSEEN = "\u2047 never seen"


def edge_rows(fit: pd.DataFrame, features: tuple[Feature, ...]) -> pd.DataFrame:
    """Return rows in which one feature at a time is missing, unseen, extreme or between; and one with all missing.

    What the contract refuses is left out: no request brings it to a model.

    Args:
        fit: Rows to start from; the first, the middle and the last one serve.
        features: Input columns; at most 100 of them, evenly spread, get rows of their own.
    """
    chosen = np.unique(np.linspace(0, len(features) - 1, min(len(features), _FEATURES)).astype(int))
    bases = fit.iloc[[0, len(fit) // 2, len(fit) - 1]]
    edges: list[tuple[int, str, Any]] = []
    for number, position in enumerate(chosen):
        feature = features[int(position)]
        base = number % len(bases)
        edges.extend((base, feature.name, value) for value in _edges(fit[feature.name], feature))
    rows = bases.iloc[[base for base, _, _ in edges]].reset_index(drop=True)
    columns = {name: rows[name].to_numpy().copy() for name in rows.columns}
    for at, (_, name, value) in enumerate(edges):
        columns[name][at] = value
    changed = pd.DataFrame(columns)
    blank = bases.iloc[:1].copy()
    blank[[feature.name for feature in features if feature.nullable]] = np.nan
    return pd.concat([changed, blank], ignore_index=True)


def _edges(column: pd.Series, feature: Feature) -> list[Any]:
    missing: list[Any] = [np.nan] if feature.nullable else []
    if not is_numeric(feature):
        allowed = feature.values  # noqa: PD011  a fact's field, not a frame's
        if allowed is not None:
            return [*missing, *(value for value in allowed if value)]
        return [*missing, _UNSEEN, "None", "nan", "0"]
    low = -np.inf if feature.low is None else feature.low
    high = np.inf if feature.high is None else feature.high
    return [*missing, *(value for value in _numbers(column, feature) if low <= value <= high)]


def _numbers(column: pd.Series, feature: Feature) -> list[float]:
    if feature.kind == "bool":
        return [0.0, 1.0]
    values = column.to_numpy()
    values = values[~np.isnan(values)]
    if not values.size:
        return [0.0]
    low, high = float(values.min()), float(values.max())
    span = high - low
    ends = [low, high, low - span - 1, high + span + 1, float(np.median(values))]
    near = [float(np.nextafter(np.float32(end), np.float32(np.inf))) for end in ends[:2]]
    return [0.0, -1.0, *ends, *near, *(float(np.float32(end)) for end in ends)]
