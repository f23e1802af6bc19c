"""A native model, unpickled: the estimator that training made, where it could not become ONNX.

A pickle is code. Whoever calls this has verified the bytes against a digest that somebody trusted.
"""

import pickle
from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from setpoint.errors import BundleError
from setpoint.facts.evidence import Scores
from setpoint.facts.training import Feature
from setpoint.training.frame import is_numeric
from setpoint.training.model import Form, NativeModel, score
from setpoint.training.threads import one_thread_for_sums


class NativeRunner:
    """Answers rows of plain values with an unpickled estimator.

    Args:
        model: The pickle.
        form: What goes in and what comes out.

    Raises:
        BundleError: The pickle cannot be loaded.
    """

    inline = False
    """One row takes milliseconds: never on an event loop."""

    def __init__(self, model: bytes, form: Form) -> None:
        try:
            estimator = pickle.loads(model)  # noqa: S301 (its digest was checked by the caller)
        except Exception as error:  # unpickling runs anything
            msg = f"model.pkl cannot be loaded: {type(error).__name__}: {error}"
            raise BundleError(msg) from error
        one_thread_for_sums()
        self._model = NativeModel(estimator, form)
        self._features = form.features

    def run(self, rows: Sequence[tuple[Any, ...]]) -> Scores:
        """Return the answers for n rows.

        Args:
            rows: Values in the order of the form's features, None where missing.

        Raises:
            TrainingError: The answers are nonsense.
        """
        arrays = [
            pa.array([None if value is None else float(value) for value in values], pa.float64())
            if is_numeric(feature)
            else pa.array(values, pa.string())
            for feature, values in zip(self._features, zip(*rows, strict=True), strict=True)
        ]
        return self.run_columns(arrays)

    def run_columns(self, columns: Sequence[pa.Array]) -> Scores:
        """Return the answers for n rows that come as columns: float64, and text.

        Args:
            columns: One for each of the form's features, n values each, null where missing.

        Raises:
            TrainingError: The answers are nonsense.
        """
        names = [feature.name for feature in self._features]
        return score(self._model, pa.table(list(columns), names=names))


def load_native(  # noqa: D417 (the arguments are those of `Form`)
    model: bytes,
    *,
    task: str,
    columns: Sequence[tuple[str, str]],
    classes: tuple[str, ...],
    threshold: float,
    together: int = 1,
) -> NativeRunner:
    """Return the runner of a pickle.

    Args:
        model: The pickle.
        columns: Name and kind of each feature, in order.

    Raises:
        BundleError: The pickle cannot be loaded.
    """
    features = tuple(Feature(name=name, kind=kind) for name, kind in columns)
    return NativeRunner(model, Form(task, features, classes, threshold, together))
