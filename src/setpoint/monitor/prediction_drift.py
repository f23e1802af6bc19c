"""Drift of the answers: their distribution against the one on the rows that the version was judged by."""

import numpy as np
import pyarrow as pa

from setpoint.contract.contract import Contract
from setpoint.facts.profile import ColumnProfile, Profile
from setpoint.facts.signal import Signal
from setpoint.monitor.answered import Answered
from setpoint.monitor.counting import PREDICTION, Counted, count_column, count_numbers
from setpoint.monitor.distance import distance_signals

NAME = "prediction.drift"
_BINARY = 2  # classes; and axes of their probabilities


def prediction_signal(contract: Contract, profile: Profile, answered: Answered) -> Signal:
    """Return `prediction.drift`: the distance of the answers from the profile's column `prediction`.

    Args:
        contract: Has the limits under `monitor.drift`.
        profile: Reference of the version that answered.
        answered: The window.
    """
    reference = next((c for c in profile.columns if c.name == PREDICTION), None)
    if reference is None:
        empty = ColumnProfile(name=PREDICTION, kind="numeric", n=0, missing=0.0)
        counted = Counted(empty, problem="the reference profile has no column 'prediction'")
    else:
        counted = count_answers(reference, answered)
    return distance_signals([counted], [NAME], answered.window, contract.monitor.drift)[0]


def count_answers(reference: ColumnProfile, answered: Answered) -> Counted:
    """Return the answers of a window counted in the cells of the reference's column `prediction`."""
    scores = answered.scores
    if reference.kind == "category":
        if not answered.classes:
            return Counted(reference, problem="the reference has classes, the answers have none")
        names = np.asarray([*answered.classes, None], dtype=object)
        codes = np.where(
            (scores.label >= 0) & (scores.label < len(answered.classes)),
            scores.label,
            len(answered.classes),
        )
        return count_column(reference, pa.table({PREDICTION: pa.array(names[codes], pa.string())}))
    if not answered.classes:
        return count_numbers(reference, scores.value)
    if scores.probability.ndim == _BINARY and scores.probability.shape[1] == _BINARY:
        return count_numbers(reference, scores.probability[:, 1])
    if len(scores.label) == 0:
        return count_numbers(reference, np.empty(0))
    return Counted(reference, problem="the reference has probabilities, the answers have none")
