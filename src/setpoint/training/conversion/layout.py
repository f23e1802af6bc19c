"""What goes into an ONNX model and what comes out. At most two tensors go in, however many columns there are.

- `numbers`, double of shape (n, k): all features of numeric kinds, in the features' order, NaN for missing;
- `texts`, string of shape (n, m): all other features, in the features' order, "" for missing.

A tensor without columns is no input. One input for each column would cost more time than most models take. Out comes
one tensor: `probabilities`, double of shape (n, classes), or `variable`, double of shape (n, 1).
"""

from collections.abc import Mapping, Sequence
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


class Layout:
    """Which features go into which input.

    Args:
        features: Input columns, in order.

    Attributes:
        numbers: Names of the columns of `numbers`.
        texts: Names of the columns of `texts`.
    """

    def __init__(self, features: Sequence[Feature]) -> None:
        self.numbers = [feature.name for feature in features if is_numeric(feature)]
        self.texts = [feature.name for feature in features if not is_numeric(feature)]

    def widths(self) -> dict[str, int]:
        """Return the inputs that there are, with their columns."""
        widths = {NUMBERS: len(self.numbers), TEXTS: len(self.texts)}
        return {name: width for name, width in widths.items() if width}

    def feed(self, frame: pd.DataFrame) -> Feed:
        """Return the inputs for rows as `frame_of` gives them."""
        feed: Feed = {}
        if self.numbers:
            numbers = frame[self.numbers].to_numpy(dtype=np.float64)
            feed[NUMBERS] = np.ascontiguousarray(numbers)
        if self.texts:
            words = frame[self.texts].to_numpy(dtype=object)
            feed[TEXTS] = np.where(pd.isna(words), MISSING_TEXT, words).astype(object)
        return feed

    def feed_one(self, row: Mapping[str, Any]) -> Feed:
        """Return the inputs for one row of plain values."""
        feed: Feed = {}
        if self.numbers:
            feed[NUMBERS] = np.array([[row[name] for name in self.numbers]], dtype=np.float64)
        if self.texts:
            values = [row[name] for name in self.texts]
            words = [value if isinstance(value, str) else MISSING_TEXT for value in values]
            feed[TEXTS] = np.array([words], dtype=object)
        return feed
