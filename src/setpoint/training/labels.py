"""Labels: the target as a model is fitted on it, and the codes of its classes."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from setpoint.errors import DataError
from setpoint.facts.classes import class_order, label_text
from setpoint.facts.evidence import Ints

_TWO = 2


def natural_labels(column: pa.ChunkedArray) -> npt.NDArray[Any]:
    """Return labels without missing values as people would hand them to scikit-learn.

    Whole numbers become int64, booleans stay, everything else becomes text, shape (n,).

    Raises:
        DataError: A label is missing.
    """
    if column.null_count:
        msg = f"{column.null_count} rows to learn from have no label"
        raise DataError(msg)
    if pa.types.is_boolean(column.type):
        return np.asarray(column.to_numpy(), dtype=np.bool_)
    if pa.types.is_integer(column.type):
        return np.asarray(column.to_numpy(), dtype=np.int64)
    if pa.types.is_floating(column.type):
        values = column.to_numpy()
        if np.all(np.isfinite(values)) and np.all(values == np.trunc(values)):
            return np.asarray(values, dtype=np.int64)
    return np.array([label_text(value) for value in column.to_pylist()], dtype=object)


def ordered_classes(labels: npt.NDArray[Any], task: str, positive: str) -> tuple[str, ...]:
    """Return the texts of the classes in the order of their codes.

    Args:
        labels: Labels of the rows to fit on, as `natural_labels` gives them.
        task: `binary` or `multiclass`.
        positive: Text of the positive class; empty means the later of the two in sorting order.

    Raises:
        DataError: There is one class only, or in a binary task more than two, or not the positive one.
    """
    classes = [label_text(value) for value in np.unique(labels)]
    if len(classes) < _TWO:
        found = f"only {classes[0]!r}" if classes else "none"
        msg = f"a {task} task needs at least two classes among the {len(labels)} rows to fit on, found {found}"
        raise DataError(msg)
    return class_order(classes, task=task, positive=positive)


def codes_of(column: pa.ChunkedArray, classes: tuple[str, ...]) -> tuple[Ints, tuple[str, ...]]:
    """Return the code of each label, shape (n,), and `classes` with those appended that it lacks.

    A missing label has code -1.
    """
    coded = column.combine_chunks().dictionary_encode()
    if isinstance(coded, pa.ChunkedArray):
        coded = coded.combine_chunks()
    words = [label_text(value) for value in coded.dictionary.to_pylist()]
    known = (*classes, *sorted({word for word in words if word not in classes}))
    place = {name: code for code, name in enumerate(known)}
    codes = np.array([*(place[word] for word in words), -1], dtype=np.int64)
    at = pc.fill_null(coded.indices, len(words)).to_numpy(zero_copy_only=False)
    return codes[at], known
