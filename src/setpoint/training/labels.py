"""Labels: the classes of a task, their order, and the target as a model is fitted on it.

A class has one text (`Yes`, `1`, `true`) whatever the column's type; codes index the classes. In a binary task code 1
is the positive class.
"""

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from setpoint.errors import DataError
from setpoint.facts.evidence import Ints

_TWO = 2


def label_text(value: object) -> str:
    """Return the one text of a label: `true`, `1` (also for 1.0), or the text itself."""
    if isinstance(value, bool | np.bool_):
        return "true" if value else "false"
    if isinstance(value, float | np.floating) and float(value).is_integer():
        return str(int(value))
    return str(value)


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
    if task != "binary":
        return tuple(classes)
    if len(classes) > _TWO:
        msg = f"a binary task needs two classes, found {len(classes)}: {', '.join(classes[:10])}"
        raise DataError(msg)
    if not positive:
        return tuple(classes)
    folded = [name.casefold() for name in classes]
    if positive in classes:
        at = classes.index(positive)
    elif positive.casefold() in folded and folded[0] != folded[1]:
        at = folded.index(positive.casefold())
    else:
        msg = f"the positive class is {positive!r}, the rows to fit on have {classes[0]!r} and {classes[1]!r}"
        raise DataError(msg)
    return (classes[1 - at], classes[at])


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
