from dataclasses import replace

import numpy as np
import pytest
from pydantic import TypeAdapter

from setpoint.contract.gates import Gate
from setpoint.facts.evidence import Evidence, Scores

ADAPTER = TypeAdapter(Gate)
NO_FLOATS = np.empty(0)
NO_INTS = np.empty(0, dtype=np.int64)


@pytest.fixture
def gate():
    """Make a gate from the mapping that people write."""
    return lambda **written: ADAPTER.validate_python(written)


def binary_scores(probability, threshold=0.5):
    probability = np.clip(np.asarray(probability, dtype=np.float64), 0, 1)
    return Scores(
        label=(probability >= threshold).astype(np.int64),
        probability=np.stack([1 - probability, probability], axis=1),
        value=NO_FLOATS,
    )


def value_scores(value):
    return Scores(
        label=NO_INTS, probability=np.empty((len(value), 0)), value=np.asarray(value, dtype=float)
    )


def noisy(rng, truth, skill):
    """Probabilities that lean to the truth by `skill`, 0 for none."""
    return 1 / (1 + np.exp(-(skill * (2 * truth - 1) + rng.normal(0, 1, len(truth)))))


@pytest.fixture
def binary():
    """Make a binary candidate's evidence on `n` rows: skill of the candidate and, unless None, of a champion."""

    def make(n=1000, *, skill=1.0, champion=None, share=0.4, seed=0, **more):
        rng = np.random.default_rng(seed)
        truth = (rng.random(n) < share).astype(np.int64)
        majority = np.zeros(n)
        made = Evidence(
            classes=("no", "yes"),
            truth_label=truth,
            truth_value=NO_FLOATS,
            candidate=binary_scores(noisy(rng, truth, skill)),
            champion=None if champion is None else binary_scores(noisy(rng, truth, champion)),
            champion_unseen=np.ones(n, dtype=bool),
            ordered=False,
            baseline={"majority": binary_scores(majority)},
        )
        return replace(made, **more)

    return make


@pytest.fixture
def regression():
    """Make a regressor's evidence: error of the candidate and of a champion."""

    def make(n=1000, *, error=1.0, champion=None, seed=0, **more):
        rng = np.random.default_rng(seed)
        truth = rng.normal(10, 3, n)
        made = Evidence(
            classes=(),
            truth_label=NO_INTS,
            truth_value=truth,
            candidate=value_scores(truth + rng.normal(0, error, n)),
            champion=None if champion is None else value_scores(truth + rng.normal(0, champion, n)),
            champion_unseen=np.ones(n, dtype=bool),
            ordered=False,
            baseline={"mean": value_scores(np.full(n, truth.mean()))},
        )
        return replace(made, **more)

    return make
