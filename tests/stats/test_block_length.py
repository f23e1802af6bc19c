"""Block lengths of known processes."""

import numpy as np
import pytest
from scipy.signal import lfilter

from setpoint.stats.block_length import block_length


@pytest.mark.parametrize(
    ("coefficient", "low", "high"), [(0.0, 1, 5), (0.5, 5, 40), (0.9, 25, 170)]
)
def test_block_length_grows_with_correlation(coefficient, low, high):
    noise = np.random.default_rng(12).normal(size=(20, 5000))
    found = [block_length(lfilter([1], [1, -coefficient], row)) for row in noise]
    assert low <= np.median(found) <= high


@pytest.mark.parametrize("series", [[], [1.0], [2.0] * 50])
def test_block_length_of_what_has_no_correlation(series):
    assert block_length(series) == 1
