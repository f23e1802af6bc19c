"""Metrics of answers, and the columns that slices and fairness look at."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from setpoint.errors import DataError, MeasurementError
from setpoint.facts.evidence import Floats, Ints, Scores
from setpoint.stats.metrics import METRICS
from setpoint.training.frame import numbers_of


def metrics_of(
    answers: Scores, truth_label: Ints, truth_value: Floats, classes: int, task: str
) -> dict[str, float]:
    """Return every metric that the rows define; one that they do not define is absent, never 0.

    Args:
        answers: A model's answers on n rows.
        truth_label: True class codes, shape (n,); empty for regression.
        truth_value: True values, shape (n,); empty for classification.
        classes: Number of classes.
        task: `binary`, `multiclass` or `regression`.
    """
    given = {"label": answers.label, "probability": answers.probability, "value": answers.value}
    if answers.probability.ndim == 2 and task == "binary" and answers.probability.shape[1]:  # noqa: PLR2004  a matrix
        given["probability"] = answers.probability[:, 1]
    truth = truth_value if task == "regression" else truth_label
    found = {}
    for name, metric in METRICS.items():
        if task not in metric.tasks or not given[metric.needs].size:
            continue
        try:
            found[name] = metric.evaluate(truth, given[metric.needs], classes)
        except MeasurementError:
            continue
    return found


def with_classes(answers: Scores, own: tuple[str, ...], wanted: tuple[str, ...]) -> Scores:
    """Return a classifier's answers with codes and probability columns of `wanted`, which has all of `own`."""
    if own == wanted or not own:
        return answers
    place = np.array([wanted.index(name) for name in own], dtype=np.int64)
    probability = answers.probability
    if probability.shape[1]:
        probability = np.zeros((len(answers.label), len(wanted)))
        probability[:, place] = answers.probability
    return Scores(label=place[answers.label], probability=probability, value=answers.value)


def kept_column(table: pa.Table, name: str) -> npt.NDArray[Any]:
    """Return a column for slices: float64 with NaN for missing, or text with "" for missing, shape (n,).

    Raises:
        DataError: The column is absent.
    """
    if name not in table.column_names:
        msg = f"a gate looks at the column {name!r}, which the table lacks"
        raise DataError(msg)
    column = table.column(name)
    if pa.types.is_integer(column.type) or pa.types.is_floating(column.type):
        return numbers_of(table, name)
    words = pc.fill_null(column.cast(pa.string()), "")
    return np.asarray(words.to_numpy(), dtype=np.str_)


def entity_codes(table: pa.Table, name: str) -> Ints:
    """Return a code for each row's entity, shape (n,); rows without one get a code of their own."""
    coded = table.column(name).combine_chunks().dictionary_encode()
    if isinstance(coded, pa.ChunkedArray):
        coded = coded.combine_chunks()
    known = len(coded.dictionary)
    codes = pc.fill_null(coded.indices, -1).to_numpy(zero_copy_only=False).astype(np.int64)
    alone = codes < 0
    codes[alone] = known + np.arange(np.count_nonzero(alone))
    return np.asarray(codes, dtype=np.int64)
