"""The rows of a job: positions of the stored table, and the features and labels that stand there."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from setpoint.errors import DataError, EmptyTableError
from setpoint.facts.evidence import Bools, Floats, Ints
from setpoint.facts.training import Recipe, TrainingJob
from setpoint.training.frame import frame_of, numbers_of
from setpoint.training.labels import codes_of, natural_labels, ordered_classes

_NO_LABELS = np.empty(0, np.int64)
_NO_VALUES = np.empty(0)


@dataclass(frozen=True)
class Target:
    """The target of every row of the stored table.

    Args:
        classes: Class texts in the order of the codes, those that only test rows have at the end.
        fitted: How many of them, from the first, the rows to fit on have.
        label: Class code of each row, -1 where missing; empty for regression.
        value: Value of each row, NaN where missing; empty for classification.
    """

    classes: tuple[str, ...]
    fitted: int
    label: Ints
    value: Floats


@dataclass(frozen=True)
class Rows:
    """What a job fits and measures on.

    Args:
        fit: Positions to fit on.
        test: Positions to measure on.
        champion_unseen: Of the test rows, those that the champion did not train on.
        fit_frame: Features of the rows to fit on.
        fit_target: Their target as the estimator takes it.
        test_table: The test rows.
        test_frame: Their features.
        target: The target of every row.
    """

    fit: Ints
    test: Ints
    champion_unseen: Bools
    fit_frame: pd.DataFrame
    fit_target: npt.NDArray[Any]
    test_table: pa.Table
    test_frame: pd.DataFrame
    target: Target

    def truth(self) -> tuple[Ints, Floats]:
        """Return class codes and values of the test rows; one of them is empty."""
        if self.target.value.size:
            return _NO_LABELS, self.target.value[self.test]
        return self.target.label[self.test], _NO_VALUES


def rows_of(job: TrainingJob, table: pa.Table, positions: Mapping[str, npt.NDArray[Any]]) -> Rows:
    """Return the rows of a job; rows without a label are left out.

    Args:
        job: The job.
        table: The stored table.
        positions: `fit`, `test` and `champion_unseen`, as the job's file of rows has them.

    Raises:
        EmptyTableError: There is no labelled row to fit on, or none to measure on.
        DataError: The target is absent, or not what the task says.
    """
    recipe = job.recipe
    if recipe.target not in table.column_names:
        msg = f"the table has no target {recipe.target!r}; it has {', '.join(table.column_names[:20])}"
        raise DataError(msg)
    fit = np.asarray(positions["fit"], dtype=np.int64)
    test = np.asarray(positions["test"], dtype=np.int64)
    unseen = np.asarray(positions.get("champion_unseen", np.ones(len(test))), dtype=np.bool_)
    known = np.asarray(_is_known(recipe, table), dtype=np.bool_)
    fit, unseen, test = fit[known[fit]], unseen[known[test]], test[known[test]]
    for name, part in (("fit on", fit), ("measure on", test)):
        if not len(part):
            msg = f"there are no labelled rows to {name}"
            raise EmptyTableError(msg)
    fit_table, test_table = table.take(pa.array(fit)), table.take(pa.array(test))
    fit_target, target = _targets(recipe, table, fit_table)
    if job.shuffle_labels:
        fit_target = np.random.default_rng(recipe.seed).permutation(fit_target)
    return Rows(
        fit=fit,
        test=test,
        champion_unseen=unseen,
        fit_frame=frame_of(fit_table, recipe.features),
        fit_target=fit_target,
        test_table=test_table,
        test_frame=frame_of(test_table, recipe.features),
        target=target,
    )


def _is_known(recipe: Recipe, table: pa.Table) -> Any:
    if recipe.task == "regression":
        return np.isfinite(_values(recipe, table))
    return table.column(recipe.target).is_valid().to_numpy()


def _values(recipe: Recipe, table: pa.Table) -> Floats:
    return numbers_of(table.select([recipe.target]), recipe.target)


def _targets(
    recipe: Recipe, table: pa.Table, fit_table: pa.Table
) -> tuple[npt.NDArray[Any], Target]:
    if recipe.task == "regression":
        values = _values(recipe, table)
        return _values(recipe, fit_table), Target((), 0, _NO_LABELS, values)
    labels = natural_labels(fit_table.column(recipe.target))
    classes = ordered_classes(labels, recipe.task, recipe.positive)
    codes, known = codes_of(table.column(recipe.target), classes)
    if recipe.task == "binary" and len(known) > len(classes):
        msg = (
            f"the target {recipe.target!r} of a binary task has the classes {', '.join(known[:10])}"
        )
        raise DataError(msg)
    return labels, Target(known, len(classes), codes, _NO_VALUES)
