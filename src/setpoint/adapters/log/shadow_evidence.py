"""A shadow's answers beside the live ones, in numbers: errors, agreement, differences, losses."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from setpoint.adapters.log.answer_chunk import as_class
from setpoint.adapters.log.logged_scores import numbers_of
from setpoint.facts.answers import Scored
from setpoint.facts.evidence import Bools, Floats, Scores
from setpoint.facts.release import ArmCounts
from setpoint.facts.shadow import ShadowEvidence
from setpoint.release.outcome import class_loss, value_loss


def evidence_of(
    pairs: pa.Table, scored: Scored, task: str, *, slow_s: Sequence[float], scale: float
) -> ShadowEvidence:
    """Return a shadow's answers beside the live ones.

    Args:
        pairs: What `setpoint.adapters.log.shadow_log.ShadowLog.pairs` gives.
        scored: What the shadow answered.
        task: What versions of the model answer.
        slow_s: Limits in seconds.
        scale: Absolute error that counts as a loss of 1.

    Raises:
        DataError: The log holds a text where versions answer numbers.
    """
    both = pairs.filter(pc.and_(_answered(pairs["error"]), _answered(pairs["live_error"])))
    judged = both.filter(pc.is_valid(both["outcome"]))
    judged = judged.sort_by([("outcome_at", "ascending"), ("id", "ascending")])
    same = _same(both["prediction"], both["live_prediction"]) if task != "regression" else None
    losses = _losses(judged, "prediction", task, scale)
    live_losses = _losses(judged, "live_prediction", task, scale)
    live = pairs.filter(pc.is_valid(pairs["live_error"]))
    return ShadowEvidence(
        version=scored.version,
        start=scored.start,
        end=scored.end,
        shadow=_counts(scored.version, pairs, "", losses, slow_s),
        live=_counts(_sole(live["live_version"]), live, "live_", live_losses, slow_s),
        compared=both.num_rows,
        agreed=None if same is None else int(same.sum()),
        differences=_differences(both, same, task),
        losses=losses,
        live_losses=live_losses,
        scored=scored,
    )


def nothing_said(version: int, start: float, end: float, slow_s: Sequence[float]) -> ShadowEvidence:
    """Return the evidence over a version that was asked nothing."""
    none = np.empty(0)
    labels = np.empty(0, dtype=np.int64)
    slow = dict.fromkeys(slow_s, 0)
    return ShadowEvidence(
        version=version,
        start=start,
        end=end,
        shadow=ArmCounts(version=version, requests=0, errors=0, slow=slow),
        live=ArmCounts(version=0, requests=0, errors=0, slow=slow),
        compared=0,
        agreed=None,
        differences=none,
        losses=none,
        live_losses=none,
        scored=Scored(
            version=version,
            start=start,
            end=end,
            at=none,
            scores=Scores(labels, np.empty((0, 0)), none),
            classes=(),
            truth_label=labels,
            truth_value=none,
            known=np.empty(0, dtype=np.bool_),
        ),
    )


def _answered(error: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return which answers are there; one that is not in the log is not."""
    return pc.fill_null(pc.equal(error, ""), fill_value=False)


def _classes(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return classes as text; 1 and 1.0 are the class of that name."""
    if pa.types.is_string(column.type):
        return column
    encoded = column.combine_chunks().dictionary_encode()
    names = [None if value is None else as_class(value) for value in encoded.dictionary.to_pylist()]
    return pa.chunked_array([pa.array(names, pa.string()).take(encoded.indices)])


def _same(one: pa.ChunkedArray, other: pa.ChunkedArray) -> Bools:
    """Return where two columns of classes are equal, shape (n,)."""
    equal = pc.equal(_classes(one), _classes(other))
    return np.asarray(pc.fill_null(equal, fill_value=False).to_numpy(), dtype=np.bool_)


def _losses(judged: pa.Table, answer: str, task: str, scale: float) -> Floats:
    """Return the loss of each answer whose outcome is known."""
    if task == "regression":
        truth, answered = numbers_of(judged["outcome"]), numbers_of(judged[answer])
        return value_loss(truth, answered, scale=scale)
    return class_loss(_same(judged["outcome"], judged[answer]), np.ones(judged.num_rows, np.bool_))


def _differences(both: pa.Table, same: Bools | None, task: str) -> Floats:
    """Return how far answers are apart; see `ShadowEvidence`."""
    if same is None:
        return np.abs(numbers_of(both["prediction"]) - numbers_of(both["live_prediction"]))
    found: Floats = np.abs(both["probability"].to_numpy() - both["live_probability"].to_numpy())
    if task == "multiclass":
        found = found[same]
    return found[np.isfinite(found)]


def _counts(
    version: int, table: pa.Table, prefix: str, losses: Floats, slow_s: Sequence[float]
) -> ArmCounts:
    took = table[f"{prefix}latency_s"].to_numpy()
    return ArmCounts(
        version=version,
        requests=table.num_rows,
        errors=table.num_rows - int(pc.sum(_answered(table[f"{prefix}error"])).as_py() or 0),
        slow={limit: int(np.count_nonzero(took > limit)) for limit in slow_s},
        outcomes=len(losses),
        outcome_sum=float(losses.sum()),
        outcome_squares=float((losses**2).sum()),
    )


def _sole(versions: pa.ChunkedArray) -> int:
    """Return the version that gave all answers; 0 where several did, or there are none."""
    found = versions.unique()
    return int(found[0].as_py()) if len(found) == 1 else 0
