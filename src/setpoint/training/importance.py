"""Permutation importance: how much worse the answers get when one column is shuffled."""

import numpy as np
import pandas as pd

from setpoint.facts.evidence import Floats, Ints, Scores
from setpoint.training.model import Model

MOST_ROWS = 2_000
_MOST_ANSWERS = 40_000  # rows times features, to stay cheap
_FEWEST_ROWS = 50  # below it shuffling says nothing
_LEAST_PROBABILITY = 1e-15


def importance_of(
    model: Model, frame: pd.DataFrame, truth_label: Ints, truth_value: Floats, seed: int
) -> dict[str, float]:
    """Return by feature, largest first, by how much its shuffling raises the mean loss.

    The loss is log loss where there are probabilities, the share of wrong labels where there are none, and mean
    absolute error for values. Source: Breiman, "Random forests", Machine Learning 45 (2001), section 10.

    Args:
        model: The model.
        frame: Rows, shape (n, features).
        truth_label: True class code, shape (n,); empty for regression. Negative where the model lacks the class.
        truth_value: True value, shape (n,); empty for classification.
        seed: Seed of the shuffling and of the choice of rows.

    Returns:
        Empty where the rows are too few, or the features too many to do it cheaply.
    """
    features = list(frame.columns)
    rows = min(len(frame), MOST_ROWS, _MOST_ANSWERS // max(1, len(features)))
    if rows < min(_FEWEST_ROWS, len(frame)) or not rows:
        return {}
    chance = np.random.default_rng(seed)
    chosen = np.sort(chance.choice(len(frame), rows, replace=False))
    labels = truth_label[chosen] if len(truth_label) else truth_label
    values = truth_value[chosen] if len(truth_value) else truth_value
    base = frame.iloc[chosen].reset_index(drop=True)
    tiled = np.tile(np.arange(rows), len(features))
    columns = {}
    for position, name in enumerate(features):
        order = tiled.copy()
        order[position * rows : (position + 1) * rows] = chance.permutation(rows)
        columns[name] = base[name].to_numpy()[order]
    before = float(_losses(model.answer(base), labels, values).mean())
    answers = model.answer(pd.DataFrame(columns))
    repeated = np.tile(labels, len(features)), np.tile(values, len(features))
    after = _losses(answers, *repeated).reshape(len(features), rows).mean(axis=1)
    found = {name: float(worse - before) for name, worse in zip(features, after, strict=True)}
    return dict(sorted(found.items(), key=lambda item: (-item[1], item[0])))


def _losses(answers: Scores, labels: Ints, values: Floats) -> Floats:
    if answers.value.size:
        return np.asarray(np.abs(answers.value - values), dtype=np.float64)
    if not answers.probability.size:
        return np.asarray(answers.label != labels, dtype=np.float64)
    known = (labels >= 0) & (labels < answers.probability.shape[1])
    picked = answers.probability[np.arange(len(labels)), np.where(known, labels, 0)]
    chance = np.maximum(np.where(known, picked, 0.0), _LEAST_PROBABILITY)
    return np.asarray(-np.log(chance), dtype=np.float64)
