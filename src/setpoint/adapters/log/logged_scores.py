"""What the prediction log has of one version's answers and their outcomes, as arrays in the version's own coding."""

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from setpoint.adapters.log.answer_chunk import as_class
from setpoint.errors import DataError
from setpoint.facts.answers import Scored
from setpoint.facts.evidence import Floats, Ints, Scores
from setpoint.training.model import Form


def scored_of(found: pa.Table, form: Form, version: int, start: float, end: float) -> Scored:
    """Return what the log says as a version's classes or numbers; a probability may be missing here and there.

    Args:
        found: `tick`, `prediction`, `probability` and `outcome` of n answers, in order of ticks.
        form: What the version answers.
        version: Its number.
        start: First tick of the stretch.
        end: Tick after its last.

    Raises:
        DataError: The log holds a text where the version answers numbers.
    """
    no_label, no_value = np.empty(0, dtype=np.int64), np.empty(0)
    is_class = bool(form.classes)
    label = codes_of(found["prediction"], form.classes) if is_class else no_label
    truth_label = codes_of(found["outcome"], form.classes) if is_class else no_label
    truth_value = no_value if is_class else numbers_of(found["outcome"])
    positive = found["probability"].to_numpy()
    return Scored(
        version=version,
        start=start,
        end=end,
        at=found["tick"].to_numpy().astype(np.float64),
        scores=Scores(
            label=label,
            probability=np.column_stack([1.0 - positive, positive])
            if form.task == "binary"
            else np.empty((len(positive), 0)),
            value=no_value if is_class else numbers_of(found["prediction"]),
        ),
        classes=form.classes,
        truth_label=truth_label,
        truth_value=truth_value,
        known=truth_label >= 0 if is_class else np.isfinite(truth_value),
    )


def cut_scored(every: Scored, start: float, end: float) -> Scored:
    """Return the answers in [start, end); with probabilities only where each of them has one."""
    first, last = (int(place) for place in np.searchsorted(every.at, [start, end], side="left"))
    part = slice(first, max(first, last))
    scores = every.scores
    probability = scores.probability[part]
    if not len(probability) or not np.isfinite(probability).all():
        probability = np.empty((len(probability), 0))
    return replace(
        every,
        start=start,
        end=end,
        at=every.at[part],
        scores=Scores(scores.label[part], probability, scores.value[part]),
        truth_label=every.truth_label[part],
        truth_value=every.truth_value[part],
        known=every.known[part],
    )


def codes_of(column: pa.ChunkedArray, classes: tuple[str, ...]) -> Ints:
    """Return class codes, -1 for what is no class or missing, shape (n,); 1 and 1.0 are the class of that name."""
    place = {name: code for code, name in enumerate(classes)}
    encoded = column.combine_chunks().dictionary_encode()
    codes = [place.get(as_class(value), -1) for value in encoded.dictionary.to_pylist()]
    indices = pc.fill_null(encoded.indices, len(codes)).to_numpy(zero_copy_only=False)
    found: Ints = np.array([*codes, -1], dtype=np.int64)[indices]
    return found


def numbers_of(column: pa.ChunkedArray) -> Floats:
    """Return numbers, NaN where missing, shape (n,).

    Raises:
        DataError: A text is none.
    """
    try:
        numbers: Floats = column.cast(pa.float64()).to_numpy()
    except pa.ArrowInvalid as error:
        msg = f"the log holds an answer or an outcome that is no number: {error}"
        raise DataError(msg) from error
    return numbers
