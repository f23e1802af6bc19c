"""The target's values as classes: how many rows each has, their shares, and which one is positive."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from setpoint.contract.contract import Contract
from setpoint.facts.classes import class_order, label_text
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
    return class_order(
        labels,
        task=contract.require_task(),
        positive="" if data.positive is None else label_text(data.positive),
        target=data.target,
    )
