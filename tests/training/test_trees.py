"""Tests of thresholds that tell doubles apart as float32 would."""

import numpy as np

from setpoint.training.trees import float32_threshold


def test_a_double_is_below_just_where_its_float32_is():
    chance = np.random.default_rng(0)
    bases = np.concatenate(
        [
            chance.normal(size=300).astype(np.float32).astype(float),
            chance.normal(size=300),  # thresholds are midpoints, which float32 does not hold
            10.0 ** chance.uniform(-40, 38, 300),
            -(10.0 ** chance.uniform(-40, 38, 300)),
            [0.0, -0.0, 0.5, 16777217.0, 1.7e9, 5e-324],
        ]
    )
    moved = float32_threshold(bases)
    steps = [-1.0, -0.5000001, -0.5, -0.4999999, -1e-9, 0.0, 1e-9, 0.4999999, 0.5, 0.5000001, 1.0]
    gap = np.spacing(np.abs(bases).astype(np.float32)).astype(float)
    for step in steps:
        for value in (
            bases + step * gap,
            np.nextafter(moved, -np.inf),
            moved,
            np.nextafter(moved, np.inf),
        ):
            np.testing.assert_array_equal(value.astype(np.float32) <= bases, value <= moved)


def test_thresholds_beyond_float32_stay():
    largest = float(np.finfo(np.float32).max)
    ends = np.array([np.inf, -np.inf, largest, -largest, 1e300, -1e300])
    moved = float32_threshold(ends)
    values = np.array([-largest, -1.0, 0.0, 1.0, largest])
    for end, new in zip(ends, moved, strict=True):
        np.testing.assert_array_equal(values.astype(np.float32) <= end, values <= new)
