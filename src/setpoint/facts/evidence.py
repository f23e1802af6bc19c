"""What training measured on the gate's rows, before anyone judges it. Arrays, so not a JSON record."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Scores:
    """What one model answered on n rows.

    Args:
        label: Predicted class code, shape (n,); empty for regression.
        probability: Class probabilities, shape (n, classes); shape (n, 0) where the model has none.
        value: Predicted value, shape (n,); empty for classification.
    """

    label: Ints
    probability: Floats
    value: Floats


@dataclass(frozen=True)
class Perturbation:
    """One what-if of a gate: the rows with a column changed, scored by the candidate.

    Args:
        gate: Position of the gate in the contract that asked for it.
        scores: The candidate's answers on the changed rows.
        rows: Positions (within the evidence's rows) that were changed.
    """

    gate: int
    scores: Scores
    rows: Ints


@dataclass(frozen=True)
class Evidence:
    """One candidate measured on the rows that gates may use.

    Class codes index `classes`; for a binary task code 1 is the positive class.

    Args:
        classes: Class names in the order of the codes; empty for regression.
        truth_label: True class code, shape (n,); empty for regression.
        truth_value: True value, shape (n,); empty for classification.
        candidate: The candidate's answers.
        champion: The champion's answers on the same rows, if there is a champion.
        champion_unseen: Rows that the champion did not train on either, shape (n,).
        ordered: Rows stand in order of time, so that resampling takes blocks.
        cluster: Code of the row's entity (`data.key`), shape (n,), or None.
        columns: Columns that slices and fairness need, as text or float arrays, shape (n,).
        baseline: Answers of each baseline (`majority`, `mean`, `no_change`) on the same rows.
        perturbations: What-ifs that gates asked for.
        latency_s: Seconds of single-row answers, shape (calls,); empty where not measured.
        size_bytes: Size of the model's files; None where not measured.
    """

    classes: tuple[str, ...]
    truth_label: Ints
    truth_value: Floats
    candidate: Scores
    champion: Scores | None
    champion_unseen: Bools
    ordered: bool
    cluster: Ints | None = None
    columns: dict[str, npt.NDArray[Any]] = field(default_factory=dict)
    baseline: dict[str, Scores] = field(default_factory=dict)
    perturbations: tuple[Perturbation, ...] = ()
    latency_s: Floats = field(default_factory=lambda: np.empty(0))
    size_bytes: int | None = None

    @property
    def rows(self) -> int:
        """Number of rows, n."""
        return max(len(self.truth_label), len(self.truth_value))


def recode(scores: Scores, own: tuple[str, ...], wanted: tuple[str, ...]) -> Scores:
    """Return answers whose class codes index `wanted` instead of `own`; a class that is not wanted gets code -1.

    Args:
        scores: Answers coded by `own`.
        own: Class names of the model that answered.
        wanted: Class names to code by.
    """
    if own == wanted or not own:
        return scores
    place = {name: code for code, name in enumerate(wanted)}
    codes = np.array([place.get(name, -1) for name in own], dtype=np.int64)
    probability = np.zeros((len(scores.label), len(wanted)))
    if scores.probability.size:
        for code, target in enumerate(codes):
            if target >= 0:
                probability[:, target] = scores.probability[:, code]
    return Scores(label=codes[scores.label], probability=probability, value=scores.value)
