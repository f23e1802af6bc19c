"""What a target column asks for: a class or a number, and which class is positive."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from setpoint.data.cells import as_text
from setpoint.data.suspicion import Answer
from setpoint.data.traits import Trait
from setpoint.errors import DataError

MOST_CLASSES = 50
"""More classes than this are refused: the target is an identifier or a free text."""

_CODED = 20  # classes that numbers 0 to k - 1, or 1 to k, may stand for
_POSITIVE = ("yes", "y", "true", "t", "positive", "pos", ">50k")
_NEGATIVE_CODES = ("0", "-1")  # beside these, 1 is positive; beside 2 it is only the first


@dataclass(frozen=True)
class Target:
    """The target of a drafted contract.

    Args:
        task: `binary`, `multiclass` or `regression`.
        answer: Class codes or values of all rows.
        positive: The positive class of a binary task, as text.
        remark: What it looks like, in words.
    """

    task: str
    answer: Answer
    positive: str | None
    remark: str


def target_of(trait: Trait, task: str | None) -> Target:
    """Return what a column asks for as a target.

    Text and flags are classes. Numbers with two values are classes; so are whole numbers that are exactly 0 to k - 1
    or 1 to k. Other numbers are values.

    Raises:
        DataError: It has no value, one value, or does not suit `task`.
    """
    if trait.distinct == 0:
        raise DataError(f"the target {trait.name!r} is empty in every row")
    if trait.distinct == 1:
        only = as_text(trait.values.drop_null())[0].as_py()
        raise DataError(
            f"the target {trait.name!r} is {only!r} in every row; there is nothing to learn"
        )
    found = task or _task(trait)
    if found == "regression":
        if not trait.is_numeric:
            raise DataError(
                f"the target {trait.name!r} is not a number; task regression does not suit it"
            )
        return _regression(trait)
    if trait.distinct > MOST_CLASSES:
        hint = "; name its numbers a regression with --task regression" if trait.is_numeric else ""
        raise DataError(
            f"the target {trait.name!r} has {trait.distinct:,} different values, too many for classes{hint}"
        )
    if found == "binary" and trait.distinct != 2:  # noqa: PLR2004 - binary
        raise DataError(
            f"the target {trait.name!r} has {trait.distinct} classes; task binary needs two"
        )
    return _classes(trait, found)


def _task(trait: Trait) -> str:
    if trait.distinct == 2:  # noqa: PLR2004 - binary
        return "binary"
    if not trait.is_numeric:
        return "multiclass"
    ends = pc.min_max(trait.values).as_py()
    is_coded = (
        trait.distinct <= _CODED
        and ends["min"] in (0, 1)
        and ends["max"] - ends["min"] == trait.distinct - 1
    )
    return "multiclass" if trait.type == "int" and is_coded else "regression"


def _regression(trait: Trait) -> Target:
    values = trait.numbers
    known = values[np.isfinite(values)]
    remark = f"numbers from {known.min():g} to {known.max():g}, mean {known.mean():.4g}"
    return Target("regression", Answer(values, 0), None, remark)


def _classes(trait: Trait, task: str) -> Target:
    texts = as_text(trait.values)
    counts = {
        str(pair["values"]): int(pair["counts"])
        for pair in pc.value_counts(texts.drop_null()).to_pylist()
    }
    rows = sum(counts.values())
    names = sorted(counts)
    positive = None
    if task == "binary":
        named = [name for name in names if name.lower() in _POSITIVE]
        if "1" in names and any(name in _NEGATIVE_CODES for name in names):
            named = ["1"]
        positive = (
            named[0] if len(named) == 1 else min(names, key=lambda name: (counts[name], name))
        )
        names = [name for name in names if name != positive] + [positive]
    codes = pc.fill_null(pc.index_in(texts, value_set=pa.array(names)).cast(pa.float64()), np.nan)
    if positive is not None:
        remark = f"{counts[positive] / rows:.1%} of the rows are {positive!r}"
    else:
        top = sorted(names, key=lambda name: -counts[name])[:5]
        remark = f"{len(names)} classes, " + ", ".join(
            f"{name!r} {counts[name] / rows:.0%}" for name in top
        )
    return Target(
        task, Answer(np.asarray(codes.to_numpy(zero_copy_only=False)), len(names)), positive, remark
    )
