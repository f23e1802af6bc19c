"""A fitted model that answers: a native estimator or an ONNX session, behind one way of asking."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
import pandas as pd
import pyarrow as pa

from setpoint.errors import BundleError, TrainingError
from setpoint.facts.classes import label_text
from setpoint.facts.evidence import Floats, Scores
from setpoint.facts.training import Feature
from setpoint.training.conversion.layout import PROBABILITIES, VARIABLE, Feed, Layout
from setpoint.training.frame import frame_of, frame_of_values, laid_out

_ROWS_AT_ONCE = 4096
_SUM_SLACK = 1e-3  # float32 probabilities of many classes do not sum to 1 exactly


@dataclass(frozen=True)
class Form:
    """What goes into a model and what comes out.

    Args:
        task: `binary`, `multiclass` or `regression`.
        features: Input columns, in order.
        classes: Class texts in the order of the codes; empty for regression.
        threshold: A binary answer is positive at this probability or above.
        together: Rows are answered in multiples of this many; see `setpoint.training.together`.
    """

    task: str
    features: tuple[Feature, ...]
    classes: tuple[str, ...]
    threshold: float
    together: int = 1


class Model(Protocol):
    """A model that answers a data frame of its features."""

    @property
    def form(self) -> Form:
        """What goes in and what comes out."""

    def answer(self, frame: pd.DataFrame) -> Scores:
        """Return the answers for every row.

        Raises:
            TrainingError: The answers are nonsense.
        """

    def answer_one(self, row: Mapping[str, Any]) -> Scores:
        """Return the answer for one row of plain values, by the shortest way there is."""

    def asked_together(self, rows: int) -> "Model":
        """Return the same model with another `Form.together`."""


def score(model: Model, table: pa.Table) -> Scores:
    """Return the model's answers for every row of `table`.

    Raises:
        DataError: A feature is absent, or holds what its kind cannot say.
        TrainingError: The answers are nonsense.
    """
    return model.answer(frame_of(table, model.form.features))


class NativeModel:
    """An estimator with `predict`, and with `predict_proba` where it can.

    Args:
        estimator: The fitted estimator.
        form: Its form.
    """

    def __init__(self, estimator: Any, form: Form) -> None:
        self.estimator = estimator
        self._form = form

    @property
    def form(self) -> Form:
        """What goes in and what comes out."""
        return self._form

    def answer(self, frame: pd.DataFrame) -> Scores:
        """Return the answers for every row; see `Model.answer`."""
        rows = len(frame)
        missing = missing_rows(rows, self._form.together)
        if rows and self._form.together > 1:
            frame = laid_out(frame, self._form.features, missing)
        if self._form.task == "regression":
            return of_values(_first(self.estimator.predict(frame), rows, missing), rows)
        if callable(getattr(self.estimator, "predict_proba", None)):
            probability = _first(self.estimator.predict_proba(frame), rows, missing)
            return of_probabilities(probability, rows, self._form, self.class_order())
        return _of_labels(_first(self.estimator.predict(frame), rows, missing), rows, self._form)

    def answer_one(self, row: Mapping[str, Any]) -> Scores:
        """Return the answer for one row; see `Model.answer_one`."""
        columns = {name: [value] for name, value in row.items()}
        return self.answer(frame_of_values(columns, self._form.features))

    def asked_together(self, rows: int) -> "NativeModel":
        """Return the same model with another `Form.together`."""
        return NativeModel(self.estimator, replace(self._form, together=rows))

    def class_order(self) -> list[int]:
        """Return for each class of the form its column among the estimator's probabilities.

        Raises:
            TrainingError: The estimator knows other classes than it was fitted on.
        """
        own = getattr(self.estimator, "classes_", None)
        if own is None:
            return list(range(len(self._form.classes)))
        texts = [label_text(value) for value in own]
        if sorted(texts) != sorted(self._form.classes):
            msg = f"the model's classes are {texts}, it was fitted on {list(self._form.classes)}"
            raise TrainingError("nonsense", msg)
        return [texts.index(name) for name in self._form.classes]


class OnnxModel:
    """An ONNX session with the inputs and outputs of `conversion.layout`.

    Args:
        session: An `onnxruntime.InferenceSession`.
        form: Its form.

    Raises:
        BundleError: The session's inputs or outputs are others.
    """

    def __init__(self, session: Any, form: Form) -> None:
        self._session = session
        self._form = form
        self._output = VARIABLE if form.task == "regression" else PROBABILITIES
        self._layout = Layout(form.features)
        expected = self._layout.widths()
        found = {entry.name: entry.shape[-1] for entry in session.get_inputs()}
        if found != expected:
            msg = f"the ONNX model has the inputs {found}, its columns need {expected}"
            raise BundleError(msg)

    @property
    def form(self) -> Form:
        """What goes in and what comes out."""
        return self._form

    def answer(self, frame: pd.DataFrame) -> Scores:
        """Return the answers for every row; see `Model.answer`."""
        feed = self._layout.feed(frame)
        # Some models need hundreds of numbers for each row on their way.
        parts = [
            self._given(
                {name: values[start : start + _ROWS_AT_ONCE] for name, values in feed.items()}
            )
            for start in range(0, len(frame), _ROWS_AT_ONCE)
        ]
        return self._scores(np.concatenate(parts) if parts else self._given(feed), len(frame))

    def answer_one(self, row: Mapping[str, Any]) -> Scores:
        """Return the answer for one row; see `Model.answer_one`."""
        return self._scores(self._given(self._layout.feed_one(row)), 1)

    def asked_together(self, rows: int) -> "OnnxModel":
        """Return the same model with another `Form.together`."""
        return OnnxModel(self._session, replace(self._form, together=rows))

    def _given(self, feed: Feed) -> Any:
        rows = len(next(iter(feed.values())))
        if missing := missing_rows(rows, self._form.together):
            feed = {
                name: np.concatenate([values, values[-1:].repeat(missing, axis=0)])
                for name, values in feed.items()
            }
        (given,) = self._session.run([self._output], feed)
        return _first(given, rows, missing)

    def _scores(self, given: Any, rows: int) -> Scores:
        if self._form.task == "regression":
            return of_values(given, rows)
        return of_probabilities(given, rows, self._form, None)


def missing_rows(rows: int, together: int) -> int:
    """Return how many rows lack to the next multiple of `together`; 0 where there is no row."""
    return -rows % together if together > 1 and rows else 0


def _first(given: Any, rows: int, missing: int) -> Any:
    """Return the answers without those to rows that were only added; of another length, as they are."""
    if not missing or np.shape(given)[:1] != (rows + missing,):
        return given
    return given[:rows]


def of_values(given: Any, rows: int) -> Scores:
    """Return regression answers as scores.

    Raises:
        TrainingError: They are not `rows` finite numbers.
    """
    values = _numbers(given, "predictions")
    values = values.reshape(-1) if values.size == rows else values
    if values.shape != (rows,):
        msg = f"predict gave shape {values.shape} for {rows} rows"
        raise TrainingError("nonsense", msg)
    _require_finite(values, "predictions")
    return Scores(label=np.empty(0, np.int64), probability=np.empty((0, 0)), value=values)


def of_probabilities(given: Any, rows: int, form: Form, order: list[int] | None) -> Scores:
    """Return class probabilities as scores, labelled by the threshold or the largest probability.

    Args:
        given: Probabilities, shape (rows, classes).
        rows: Number of rows asked for.
        form: The model's form.
        order: Column of each class; None where they stand in the order of the classes.

    Raises:
        TrainingError: They are not probabilities of the form's classes.
    """
    probability = _numbers(given, "probabilities")
    if probability.shape != (rows, len(form.classes)):
        msg = f"predict_proba gave shape {probability.shape} for {rows} rows and {len(form.classes)} classes"
        raise TrainingError("nonsense", msg)
    _require_finite(probability, "probabilities")
    totals = probability.sum(axis=1)
    low, high = float(probability.min(initial=0.0)), float(probability.max(initial=0.0))
    if low < -_SUM_SLACK or high > 1 + _SUM_SLACK or np.any(np.abs(totals - 1) > _SUM_SLACK):
        msg = f"predict_proba gave {low:g} to {high:g}, not probabilities that sum to 1"
        raise TrainingError("nonsense", msg)
    if order is not None and order != sorted(order):
        probability = probability[:, order]
    probability = np.clip(probability, 0.0, 1.0)
    if form.task == "binary":
        label = (probability[:, 1] >= form.threshold).astype(np.int64)
    else:
        label = probability.argmax(axis=1).astype(np.int64)
    return Scores(label=label, probability=probability, value=np.empty(0))


def _of_labels(given: Any, rows: int, form: Form) -> Scores:
    answers = np.asarray(given).reshape(-1)
    if len(answers) != rows:
        msg = f"predict gave {len(answers)} labels for {rows} rows"
        raise TrainingError("nonsense", msg)
    place = {name: code for code, name in enumerate(form.classes)}
    names, back = np.unique(answers, return_inverse=True)
    texts = [label_text(name) for name in names]
    if unknown := [text for text in texts if text not in place]:
        msg = f"predict gave the label {unknown[0]!r}; the classes are {', '.join(form.classes)}"
        raise TrainingError("nonsense", msg)
    codes = np.array([place[text] for text in texts], dtype=np.int64)
    return Scores(label=codes[back], probability=np.empty((rows, 0)), value=np.empty(0))


def _numbers(given: Any, what: str) -> Floats:
    try:
        return np.asarray(given, dtype=np.float64)
    except (TypeError, ValueError) as error:
        msg = f"the model's {what} are not numbers: {error}"
        raise TrainingError("nonsense", msg) from error


def _require_finite(values: Floats, what: str) -> None:
    if not np.all(np.isfinite(values)):
        bad = int(np.count_nonzero(~np.isfinite(values)))
        msg = f"{bad} of the model's {what} are not finite"
        raise TrainingError("nonsense", msg)
