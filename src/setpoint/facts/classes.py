"""The classes of a task: the one text that names each, and the order of their codes.

A class has one text (`Yes`, `1`, `true`) whatever the type of the column that it comes from; codes index the classes.
In a binary task code 1 is the positive class. Every room that names or counts classes takes both from here.
"""

import re
from collections.abc import Iterable

import numpy as np

from setpoint.errors import DataError

_BINARY = 2
_WHOLE = re.compile(r"-?\d+")


def label_text(value: object) -> str:
    """Return the one text of a label: `true`, `1` (also for 1.0), or the text itself."""
    if isinstance(value, bool | np.bool_):
        return "true" if value else "false"
    if isinstance(value, float | np.floating) and float(value).is_integer():
        return str(int(value))
    return str(value)


def class_order(
    labels: Iterable[str], *, task: str, positive: str = "", target: str = "target"
) -> tuple[str, ...]:
    """Return the classes in the order of their codes.

    Whole numbers stand in the order of numbers, all else in that of texts; in a binary task the positive class is last.

    Args:
        labels: Texts of the labels, as `label_text` gives them; repeated ones count once.
        task: `binary` or `multiclass`.
        positive: Text of the positive class, in any case where that names one class; empty means the later of the two.
        target: Name of the column, for errors.

    Raises:
        DataError: A binary target has more than two classes, or not the positive one.
    """
    names = sorted(set(labels))
    if all(_WHOLE.fullmatch(name) for name in names):
        names.sort(key=int)
    if task != "binary":
        return tuple(names)
    shown = ", ".join(names[:10]) or "none"
    if len(names) > _BINARY:
        msg = f"the target {target!r} of a binary task has {len(names)} classes ({shown}); set task: multiclass"
        raise DataError(msg)
    if not positive:
        return tuple(names)
    alike = [name for name in names if name.casefold() == positive.casefold()]
    found = positive if positive in names else alike[0] if len(alike) == 1 else None
    if found is None:
        msg = f"no row of the target {target!r} is the positive class {positive!r}; found {shown}"
        raise DataError(msg)
    return (*(name for name in names if name != found), found)
