"""Metrics of classifiers.

Labels are class codes 0 to C - 1 (binary: 1 is positive). Probabilities are P(positive), shape (n,),
or one column a class, shape (n, C). A metric that the rows do not define raises; it is never 0.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from setpoint.errors import TooFewSamplesError, UndefinedMetricError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

SMALLEST_PROBABILITY = float(np.finfo(np.float64).eps)


def hits(y: ArrayLike, label: ArrayLike, classes: int = 2) -> NDArray[np.float64]:
    """Return for each row (right, 1); shape (n, 2). The sums give the accuracy."""
    truth, guess = _codes(y, label, classes)
    return np.stack([truth == guess, np.ones(truth.size)], axis=1).astype(np.float64)


def positive_outcomes(y: ArrayLike, label: ArrayLike, classes: int = 2) -> NDArray[np.float64]:
    """Return for each row (true positive, false positive, false negative); shape (n, 3).

    The sums give precision, recall and F1 of the positive class, which is 1.
    """
    if classes != 2:  # noqa: PLR2004 - positive and negative
        raise UndefinedMetricError(
            f"a positive class is defined for 2 classes, not {classes}; take the macro average"
        )
    truth, guess = (codes == 1 for codes in _codes(y, label, classes))
    return np.stack([truth & guess, ~truth & guess, truth & ~guess], axis=1).astype(np.float64)


def class_outcomes(y: ArrayLike, label: ArrayLike, classes: int = 2) -> NDArray[np.float64]:
    """Return for each row and class (true positive, false positive, false negative).

    Returns:
        Shape (n, 3 * classes): all true positives first, then false positives, then false negatives.
        The sums give balanced accuracy and the macro averages.
    """
    truth, guess = _codes(y, label, classes)
    one_of = np.arange(classes)
    is_true, is_guess = truth[:, None] == one_of, guess[:, None] == one_of
    parts = [is_true & is_guess, ~is_true & is_guess, is_true & ~is_guess]
    return np.concatenate(parts, axis=1).astype(np.float64)


def log_losses(y: ArrayLike, probability: ArrayLike, classes: int = 2) -> NDArray[np.float64]:
    """Return for each row (-ln of the true class's probability, 1); shape (n, 2).

    Probabilities are kept 2.2e-16 away from 0 and 1, so that one sure mistake is not infinite.
    """
    chances = _chances(probability, classes)
    truth, _ = _codes(y, y, classes)
    chance = np.clip(chances[np.arange(truth.size), truth], SMALLEST_PROBABILITY, None)
    chance = np.minimum(chance, 1 - SMALLEST_PROBABILITY)
    return np.stack([-np.log(chance), np.ones(truth.size)], axis=1)


def squared_errors_of_probability(
    y: ArrayLike, probability: ArrayLike, classes: int = 2
) -> NDArray[np.float64]:
    """Return for each row (squared error, 1); shape (n, 2). The sums give the Brier score.

    Binary: (P(positive) - y)^2, in [0, 1]. More classes: summed over them, in [0, 2].
    """
    chances = _chances(probability, classes)
    truth, _ = _codes(y, y, classes)
    errors = np.sum((chances - (truth[:, None] == np.arange(classes))) ** 2, axis=1)
    if classes == 2:  # noqa: PLR2004 - both columns hold the same error
        errors /= 2
    return np.stack([errors, np.ones(truth.size)], axis=1)


def skill_of_probability(
    y: ArrayLike, probability: ArrayLike, classes: int = 2
) -> NDArray[np.float64]:
    """Return for each row (squared error, 1, row's class as 0/1 columns); shape (n, 2 + classes)."""
    errors = squared_errors_of_probability(y, probability, classes)
    truth, _ = _codes(y, y, classes)
    return np.hstack([errors, (truth[:, None] == np.arange(classes)).astype(np.float64)])


def brier_skill_of(sums: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the Brier skill score from sums of `skill_of_probability`, (..., 2 + classes) to (...).

    1 is perfect, 0 is an answer with the rows' own class shares, below 0 is worse than that; NaN for one class.
    """
    shares = sums[..., 2:] / sums[..., 1:2]
    known = np.sum(shares * (1 - shares), axis=-1)
    if shares.shape[-1] == 2:  # noqa: PLR2004 - both columns hold the same error
        known = known / 2
    return np.asarray(1 - sums[..., 0] / sums[..., 1] / np.where(known > 0, known, np.nan))


def precision_of(sums: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return precision from sums of `positive_outcomes`, (..., 3) to (...); NaN if none is guessed."""
    return np.asarray(sums[..., 0] / (sums[..., 0] + sums[..., 1]))


def recall_of(sums: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return recall from sums of `positive_outcomes`, (..., 3) to (...); NaN if none is positive."""
    return np.asarray(sums[..., 0] / (sums[..., 0] + sums[..., 2]))


def f1_of(sums: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return F1 from sums of `positive_outcomes`, (..., 3) to (...); NaN if none is positive."""
    wrong = sums[..., 1] + sums[..., 2]
    return np.asarray(2 * sums[..., 0] / (2 * sums[..., 0] + wrong))


def balanced_accuracy_of(sums: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the mean recall of the classes present, from sums of `class_outcomes`."""
    hit, _, missed = np.split(sums, 3, axis=-1)
    return _mean_over_classes(hit, hit + missed, hit + missed > 0)


def macro_precision_of(sums: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the mean precision of the classes that occur or are guessed; 0 for one never guessed."""
    hit, false, missed = np.split(sums, 3, axis=-1)
    return _mean_over_classes(hit, hit + false, hit + false + missed > 0)


def macro_recall_of(sums: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the mean recall of the classes that occur or are guessed; 0 for one never present."""
    hit, false, missed = np.split(sums, 3, axis=-1)
    return _mean_over_classes(hit, hit + missed, hit + false + missed > 0)


def macro_f1_of(sums: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the mean F1 of the classes that occur or are guessed, from sums of `class_outcomes`."""
    hit, false, missed = np.split(sums, 3, axis=-1)
    return _mean_over_classes(2 * hit, 2 * hit + false + missed, hit + false + missed > 0)


def roc_auc(y: ArrayLike, probability: ArrayLike, classes: int = 2) -> float:
    """Return the area under the ROC curve; with more classes the mean of one against the rest.

    Args:
        y: Class codes, shape (n,).
        probability: P(positive) or any score, shape (n,); shape (n, classes) with more classes.
        classes: Number of classes.

    Raises:
        UndefinedMetricError: A class is absent, or no other is there.
        TooFewSamplesError: There are no rows.

    Example:
        >>> roc_auc([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8])
        0.75

    References:
        Hanley, McNeil 1982, The meaning and use of the area under a ROC curve (by ranks).
    """
    scores = np.asarray(probability, dtype=np.float64)
    if scores.ndim == 1:
        return _binary_auc(y, scores)
    truth = np.asarray(y)
    if classes == 2:  # noqa: PLR2004 - one curve serves both
        return _binary_auc(truth, scores[:, 1])
    return float(np.mean([_binary_auc(truth == c, scores[:, c]) for c in range(classes)]))


def average_precision(y: ArrayLike, probability: ArrayLike, classes: int = 2) -> float:
    """Return the precision averaged over the steps of recall; over classes with more than two.

    Args:
        y: Class codes, shape (n,).
        probability: P(positive) or any score, shape (n,); shape (n, classes) with more classes.
        classes: Number of classes.

    Raises:
        UndefinedMetricError: A class is absent, or no other is there.
        TooFewSamplesError: There are no rows.

    Example:
        >>> round(average_precision([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8]), 4)
        0.8333

    References:
        Manning, Raghavan, Schuetze 2008, Introduction to Information Retrieval, chapter 8.
    """
    scores = np.asarray(probability, dtype=np.float64)
    if scores.ndim == 1:
        return _binary_average_precision(y, scores)
    truth = np.asarray(y)
    if classes == 2:  # noqa: PLR2004 - the positive class's
        return _binary_average_precision(truth, scores[:, 1])
    of_each = [_binary_average_precision(truth == c, scores[:, c]) for c in range(classes)]
    return float(np.mean(of_each))


def midranks(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return ranks from 1, equal values sharing their mean rank; shape (n,)."""
    order = np.argsort(values, kind="stable")
    ordered = values[order]
    starts = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]])
    ends = np.r_[starts[1:], values.size]
    ranks = np.empty(values.size)
    ranks[order] = np.repeat((starts + ends + 1) / 2, ends - starts)
    return ranks


def require_both_classes(y: ArrayLike) -> NDArray[np.bool_]:
    """Return whether each row is positive, or raise where one class is absent."""
    truth = np.asarray(y).astype(np.bool_)
    if truth.size == 0:
        raise TooFewSamplesError("a ranking metric", needed=2, found=0)
    if truth.all() or not truth.any():
        raise UndefinedMetricError(
            f"a ranking metric needs both classes; all {truth.size} rows are"
            f" {'positive' if truth[0] else 'negative'}"
        )
    return truth


def _binary_auc(y: ArrayLike, score: NDArray[np.float64]) -> float:
    truth = require_both_classes(y)
    positives = int(truth.sum())
    pairs = positives * (truth.size - positives)
    return float((midranks(score)[truth].sum() - positives * (positives + 1) / 2) / pairs)


def _binary_average_precision(y: ArrayLike, score: NDArray[np.float64]) -> float:
    truth = require_both_classes(y)
    order = np.argsort(-score, kind="stable")
    ordered = score[order]
    last_of_ties = np.flatnonzero(np.r_[ordered[1:] != ordered[:-1], True])
    found = np.cumsum(truth[order])[last_of_ties]
    precision = found / (last_of_ties + 1)
    return float(np.sum(np.diff(np.r_[0, found]) * precision) / truth.sum())


def _mean_over_classes(
    part: NDArray[np.float64], whole: NDArray[np.float64], counts: NDArray[np.bool_]
) -> NDArray[np.float64]:
    ratio = np.divide(part, whole, out=np.zeros_like(part), where=whole > 0)
    return np.asarray(np.sum(ratio * counts, axis=-1) / np.sum(counts, axis=-1))


def _codes(
    y: ArrayLike, label: ArrayLike, classes: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    truth, guess = (np.asarray(codes).astype(np.int64) for codes in (y, label))
    if truth.shape != guess.shape or truth.ndim != 1:
        raise ValueError(f"labels must have one shape (n,), got {truth.shape} and {guess.shape}")
    if truth.size == 0:
        raise TooFewSamplesError("a metric", needed=1, found=0)
    if min(truth.min(), guess.min()) < 0 or max(truth.max(), guess.max()) >= classes:
        raise ValueError(f"labels must be class codes from 0 to {classes - 1}")
    return truth, guess


def _chances(probability: ArrayLike, classes: int) -> NDArray[np.float64]:
    chances = np.asarray(probability, dtype=np.float64)
    if chances.ndim == 1:
        chances = np.stack([1 - chances, chances], axis=1)
    if chances.shape[1] != classes:
        raise ValueError(f"probabilities have {chances.shape[1]} columns for {classes} classes")
    if np.isnan(chances).any():
        raise UndefinedMetricError("a probability is missing (NaN)")
    return chances
