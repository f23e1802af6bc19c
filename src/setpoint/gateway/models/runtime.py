"""What runs a version's model on checked columns. ONNX here; a native model comes in through a loader of `wiring`."""

from collections.abc import Callable, Iterable, Sequence
from operator import itemgetter
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import onnxruntime

from setpoint.errors import BundleError
from setpoint.facts.evidence import Scores
from setpoint.gateway.rows.schema import RequestDocument, Row

NUMBERS = "numbers"
"""Input of shape (n, k): all columns of numbers and truth values, in the order of the schema, NaN for null."""

TEXTS = "texts"
"""Input of shape (n, m): all categories and texts, in the order of the schema."""

MISSING_TEXT = ""  # what stands for null in `texts`, as training writes it
_NUMBERS = {"tensor(float)": np.float32, "tensor(double)": np.float64}
_TEXT = "tensor(string)"
_TEXT_KINDS = ("category", "text")
_OUTPUTS = {"binary": "probabilities", "multiclass": "probabilities", "regression": "variable"}
Feed = dict[str, npt.NDArray[Any]]

_SHOWN = 10  # names in a message
_NO_LABELS = np.empty(0, dtype=np.int64)
_NO_VALUES = np.empty(0)
_NO_PROBABILITIES = np.empty((0, 0))


class Runner(Protocol):
    """A loaded model."""

    inline: bool
    """Whether one row takes microseconds, so that it may run on the event loop."""

    def run(self, rows: Sequence[Row]) -> Scores:
        """Return the model's answers for checked rows in the order of the schema. Called from any thread.

        Classes are decided by the probabilities, where there are any; labels matter only for a model without.
        """


NativeLoader = Callable[[bytes, RequestDocument], Runner]
"""Makes a runner of the bytes of a `model.pkl` whose digest was verified."""


class OnnxRunner:
    """Runs an ONNX model on the CPU with one thread; the processes beside it have the other cores.

    Args:
        model: Bytes of the model.
        document: The bundle's `request.json`.

    Raises:
        BundleError: The model cannot be loaded, or its inputs or outputs are not what the document says.
    """

    inline = True

    def __init__(self, model: bytes, document: RequestDocument) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.log_severity_level = (
            3  # errors come as exceptions; warnings about the graph are training's matter
        )
        try:
            self._session = onnxruntime.InferenceSession(
                model, options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # onnxruntime's exceptions share no public root
            msg = f"model.onnx cannot be loaded: {error}"
            raise BundleError(msg) from error
        self._together = document.together
        self._plan_inputs(document)
        self._plan_output(document)

    def run(self, rows: Sequence[Row]) -> Scores:
        """Return the model's answers for checked rows in the order of the schema; labels are left empty."""
        feed: Feed = {}
        if self._pick_numbers is not None:  # None becomes NaN
            feed[NUMBERS] = np.array([self._pick_numbers(row) for row in rows], self._number_type)
        if self._pick_texts is not None:
            feed[TEXTS] = np.array(
                [
                    [MISSING_TEXT if value is None else value for value in self._pick_texts(row)]
                    for row in rows
                ],
                dtype=object,
            )
        return self._scores(feed, len(rows))

    def run_columns(
        self, numbers: npt.NDArray[np.float64], texts: npt.NDArray[Any], rows: int
    ) -> Scores:
        """Return what `run` would answer to rows that come as two tensors.

        Args:
            numbers: Numbers and truth values, shape (rows, k), in the order of the schema, NaN where missing.
            texts: Categories and texts, shape (rows, m), in that order, empty where missing.
            rows: Number of rows.
        """
        feed: Feed = {}
        if self._pick_numbers is not None:
            feed[NUMBERS] = numbers.astype(self._number_type, copy=False)
        if self._pick_texts is not None:
            feed[TEXTS] = texts
        return self._scores(feed, rows)

    def _scores(self, feed: Feed, rows: int) -> Scores:
        if self._together > 1 and (missing := -rows % self._together):
            feed = {
                name: np.concatenate([values, values[-1:].repeat(missing, axis=0)])
                for name, values in feed.items()
            }
            (answer,) = self._session.run(self._outputs, feed)
            answer = answer[:rows]
        else:
            (answer,) = self._session.run(self._outputs, feed)
        if self._regression:
            return Scores(
                label=_NO_LABELS, probability=_NO_PROBABILITIES, value=answer.reshape(rows)
            )
        return Scores(label=_NO_LABELS, probability=answer, value=_NO_VALUES)

    def _plan_inputs(self, document: RequestDocument) -> None:
        """Find out which columns go into which input, and as what type."""
        kinds = [rule.kind for rule in document.columns]
        texts = [place for place, kind in enumerate(kinds) if kind in _TEXT_KINDS]
        numbers = [place for place, kind in enumerate(kinds) if kind not in _TEXT_KINDS]
        self._pick_numbers = _picker(numbers, len(kinds))
        self._pick_texts = _picker(texts, len(kinds))
        widths = {NUMBERS: len(numbers), TEXTS: len(texts)}
        expected = {name: width for name, width in widths.items() if width}
        inputs = {entry.name: entry for entry in self._session.get_inputs()}
        if set(inputs) != set(expected):
            msg = (
                f"model.onnx has inputs {_listed(inputs)}, the columns of request.json need "
                f"{_listed(expected)}: train the model anew"
            )
            raise BundleError(msg)
        for name, width in expected.items():
            allowed = _NUMBERS if name == NUMBERS else (_TEXT,)
            entry = inputs[name]
            if entry.type not in allowed or len(entry.shape) != 2 or entry.shape[1] != width:  # noqa: PLR2004 (rows, columns)
                msg = (
                    f"model.onnx takes {name} as {entry.type} of shape {entry.shape}, "
                    f"request.json has {width} columns for it"
                )
                raise BundleError(msg)
        self._number_type = _NUMBERS[inputs[NUMBERS].type] if numbers else None

    def _plan_output(self, document: RequestDocument) -> None:
        """Find the output that holds probabilities, or values."""
        self._regression = document.task == "regression"
        self._outputs = [_OUTPUTS[document.task]]
        found = [entry.name for entry in self._session.get_outputs()]
        if self._outputs[0] not in found:
            msg = f"model.onnx has outputs {_listed(found)}, a {document.task} task needs {self._outputs[0]!r}"
            raise BundleError(msg)


def _picker(places: list[int], width: int) -> Callable[[Row], Sequence[Any]] | None:
    """Return what takes the values at some places out of a row; None where there are none."""
    if not places:
        return None
    if len(places) == width:
        return lambda row: row
    if len(places) == 1:
        place = places[0]
        return lambda row: (row[place],)
    return itemgetter(*places)


def _listed(names: Iterable[str]) -> str:
    """Return names for a message, however many there are."""
    some = list(names)
    more = f" and {len(some) - _SHOWN} more" if len(some) > _SHOWN else ""
    return f"{some[:_SHOWN]}{more}"
