"""Which columns of a table are no inputs of a model, and why."""

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from setpoint.data.suspicion import (
    FLAG_AGREES,
    GIVES_AWAY,
    Answer,
    companions,
    follow_up_times,
    later_moments,
    model_answers,
    repeated_columns,
    sums,
    telling_gaps,
    telling_patterns,
)
from setpoint.data.traits import Trait

Floats = npt.NDArray[np.float64]

_NEAR_EMPTY = 0.98


def left_out(
    candidates: Sequence[Trait],
    target: Trait,
    answer: Answer,
    at: Floats | None,
    strength: Mapping[str, float],
) -> dict[str, str]:
    """Return the reason by column that should be no input, in the table's order.

    Args:
        candidates: Columns that are neither target, time nor key.
        target: The target.
        answer: The target as numbers.
        at: Moment of each row in seconds; None without a time column.
        strength: How well each column alone tells the answer.
    """
    useless: dict[str, str] = {}
    for found in (
        _empty(candidates),
        _identifiers(candidates),
        _moments(candidates),
        _free_text(candidates),
    ):
        useless = {**found, **useless}
    suspicious = _suspicious(candidates, target, answer, at, strength)
    # What a column gives away says more of it than that it is a date or half empty, so that reason stands.
    reasons = {**useless, **suspicious, **_empty(candidates)}
    if len(reasons) == len(candidates):
        reasons = useless  # nothing would be left to learn from: people decide, and the draft remarks on it
    rest = [trait for trait in candidates if trait.name not in reasons]
    reasons = {**reasons, **repeated_columns(rest)}
    return {trait.name: reasons[trait.name] for trait in candidates if trait.name in reasons}


def _suspicious(
    candidates: Sequence[Trait],
    target: Trait,
    answer: Answer,
    at: Floats | None,
    strength: Mapping[str, float],
) -> dict[str, str]:
    reasons: dict[str, str] = {}
    for found in (
        later_moments(candidates, at),
        telling_gaps(candidates, answer),
        follow_up_times(candidates, at),
        sums(candidates, target) if answer.classes == 0 else {},
        _answers(candidates, answer, strength),
        model_answers(candidates),
    ):
        reasons = {**found, **reasons}  # the first reason stands
    shown = telling_patterns(candidates, answer, at)
    return {**companions(candidates, reasons, shown), **reasons}


def _empty(candidates: Sequence[Trait]) -> dict[str, str]:
    found = {}
    for trait in candidates:
        if trait.missing > _NEAR_EMPTY:
            filled = len(trait.values) - trait.values.null_count
            found[trait.name] = (
                f"empty in all but {filled:,} rows" if filled else "empty in every row"
            )
        elif trait.distinct == 1 and not trait.missing:
            found[trait.name] = "has one value only"
    return found


def _answers(
    candidates: Sequence[Trait], answer: Answer, strength: Mapping[str, float]
) -> dict[str, str]:
    found = {}
    for trait in candidates:
        alone = strength.get(trait.name, 0.0)
        if alone >= GIVES_AWAY:
            found[trait.name] = f"gives the answer away: alone it has {answer.measure} {alone:.3f}"
        elif alone >= FLAG_AGREES and trait.distinct == 2 and answer.classes == 2:  # noqa: PLR2004 - flag and label
            found[trait.name] = (
                f"a flag that all but repeats the answer: alone it has {answer.measure} {alone:.2f}"
            )
    return found


def _identifiers(candidates: Sequence[Trait]) -> dict[str, str]:
    found = {}
    for trait in candidates:
        if trait.counts_rows:
            found[trait.name] = "numbers the rows"
        elif trait.names_rows:
            found[trait.name] = "names single rows: nearly every row has a value of its own"
    return found


def _moments(candidates: Sequence[Trait]) -> dict[str, str]:
    reason = "a moment never comes again; make columns of its parts, such as the hour"
    return {trait.name: reason for trait in candidates if trait.type == "datetime"}


def _free_text(candidates: Sequence[Trait]) -> dict[str, str]:
    return {
        trait.name: f"free text: {trait.distinct:,} different values"
        for trait in candidates
        if trait.type == "text"
    }
