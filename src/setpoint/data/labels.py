"""The target's values as classes: their text, their shares, and which one is positive."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from setpoint.contract.contract import Contract
from setpoint.errors import DataError
from setpoint.stats.effective_size import design_effect


@dataclass(frozen=True)
class LabelReference:
    """The labels that a batch is compared with: those of the champion's training rows.

    Args:
        shares: Share of each class, as text; sums to 1.
        rows: Number of labelled rows behind them.
        design_effect: Rows that are worth one independent row, 1 or more. Labels that come in runs (a room is
            occupied for hours) move far in a batch without anything having changed.
    """

    shares: dict[str, float]
    rows: int
    design_effect: float = 1.0


def label_text(value: object) -> str:
    """Return the text that names a class: true is `true`, 1 and 1.0 are `1`."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def label_counts(labels: pa.ChunkedArray) -> dict[str, int]:
    """Return how many rows each class has, by its text in alphabetical order; missing labels have none.

    Args:
        labels: The target of a typed classification table.
    """
    counts = pc.value_counts(labels.drop_null())
    pairs = zip(counts.field(0).to_pylist(), counts.field(1).to_pylist(), strict=True)
    return {str(name): int(count) for name, count in sorted(pairs)}


def label_reference(labels: pa.ChunkedArray, *, ordered: bool) -> LabelReference:
    """Return the shares of the classes of a typed target.

    Args:
        labels: Classes as text; missing ones are ignored.
        ordered: Whether they stand in order of time, so that runs of labels can be seen.
    """
    counts = label_counts(labels)
    rows = sum(counts.values())
    if not rows:
        return LabelReference({}, 0)
    effect = 1.0
    if ordered:
        top = max(counts, key=lambda name: (counts[name], name))
        is_top = pc.equal(labels.drop_null(), top).to_numpy().astype(np.float64)
        effect = design_effect(is_top)
    return LabelReference({name: count / rows for name, count in counts.items()}, rows, effect)


def classes_of(contract: Contract, labels: Sequence[str]) -> tuple[str, ...]:
    """Return the classes in the order of their codes; for a binary task the positive class is last.

    Args:
        contract: Has a section `data` and a task.
        labels: Distinct texts of the target.

    Raises:
        DataError: A binary target has more than two classes, or lacks the positive class.
    """
    data = contract.require_data()
    names = sorted(set(labels))
    if contract.require_task() != "binary":
        return tuple(names)
    if len(names) > 2:  # noqa: PLR2004 - binary
        shown = ", ".join(names[:5])
        raise DataError(
            f"the target {data.target!r} of a binary task has {len(names)} classes ({shown}); set task: multiclass"
        )
    if data.positive is None:
        return tuple(names)
    wanted = label_text(data.positive)
    positive = next((name for name in names if name == wanted), None)
    if positive is None:
        positive = next((name for name in names if name.lower() == wanted.lower()), None)
    if positive is None:
        raise DataError(
            f"no row of the target {data.target!r} is the positive class {wanted!r}; found {', '.join(names) or 'none'}"
        )
    return (*(name for name in names if name != positive), positive)
