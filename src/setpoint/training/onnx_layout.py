"""What goes into an ONNX model and what comes out. At most two tensors go in, however many columns there are.

- `numbers`, double of shape (n, k): all features of numeric kinds, in the features' order, NaN for missing;
- `texts`, string of shape (n, m): all other features, in the features' order, "" for missing.

A tensor without columns is no input. One input for each column would cost more time than most models take. Out comes
one tensor: `probabilities`, double of shape (n, classes), or `variable`, double of shape (n, 1).
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from setpoint.facts.training import Feature
from setpoint.training.frame import is_numeric

NUMBERS = "numbers"
TEXTS = "texts"
PROBABILITIES = "probabilities"
VARIABLE = "variable"
MISSING_TEXT = ""

Feed = dict[str, npt.NDArray[Any]]


def numbers_and_texts(features: tuple[Feature, ...]) -> tuple[list[str], list[str]]:
    """Return the names of the features in `numbers`, and of those in `texts`."""
    numbers = [feature.name for feature in features if is_numeric(feature)]
    texts = [feature.name for feature in features if not is_numeric(feature)]
    return numbers, texts


def feed_of(frame: pd.DataFrame, features: tuple[Feature, ...]) -> Feed:
    """Return the inputs for rows as `frame_of` gives them."""
    numbers, texts = numbers_and_texts(features)
    feed: Feed = {}
    if numbers:
        feed[NUMBERS] = np.ascontiguousarray(frame[numbers].to_numpy(dtype=np.float64))
    if texts:
        words = frame[texts].to_numpy(dtype=object)
        feed[TEXTS] = np.where(pd.isna(words), MISSING_TEXT, words).astype(object)
    return feed


def feed_of_row(row: Mapping[str, Any], features: tuple[Feature, ...]) -> Feed:
    """Return the inputs for one row of plain values."""
    numbers, texts = numbers_and_texts(features)
    feed: Feed = {}
    if numbers:
        feed[NUMBERS] = np.array([[row[name] for name in numbers]], dtype=np.float64)
    if texts:
        words = [row[name] if isinstance(row[name], str) else MISSING_TEXT for name in texts]
        feed[TEXTS] = np.array([words], dtype=object)
    return feed
