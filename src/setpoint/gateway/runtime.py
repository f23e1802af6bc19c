"""What runs a version's model on checked columns. ONNX here; a native model comes in through a loader of `wiring`."""

from collections.abc import Callable, Sequence
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import onnxruntime

from setpoint.errors import BundleError
from setpoint.facts.evidence import Scores
from setpoint.gateway.column_check import ColumnRule
from setpoint.gateway.schema import RequestDocument

MISSING_TEXT = ""  # what stands for null in a model's text inputs, as training writes it
_NUMBERS = {"tensor(float)": np.float32, "tensor(double)": np.float64}
_WHOLE = {"tensor(int64)": np.int64, "tensor(int32)": np.int32, "tensor(bool)": np.bool_}
_TEXT = "tensor(string)"
_NO_LABELS = np.empty(0, dtype=np.int64)
_NO_VALUES = np.empty(0)
_NO_PROBABILITIES = np.empty((0, 0))
_PROBABILITY_NAMES = ("probabilities", "output_probability", "probability")


class Runner(Protocol):
    """A loaded model."""

    inline: bool
    """Whether one row takes microseconds, so that it may run on the event loop."""

    def run(self, columns: Sequence[Sequence[Any]]) -> Scores:
        """Return the model's answers for checked columns in the order of the schema. Called from any thread.

        Classes are decided by the probabilities, where there are any; labels matter only for a model without.
        """


NativeLoader = Callable[[bytes, RequestDocument], Runner]
"""Makes a runner of the bytes of a `model.pkl` whose digest was verified."""


class OnnxRunner:
    """Runs an ONNX model on the CPU with one thread; the processes beside it have the other cores.

    Args:
        model: Bytes of the model.
        document: The bundle's `request.json`: one input for each column, by name.

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
        self._plan_inputs(document)
        self._plan_output(document)

    def run(self, columns: Sequence[Sequence[Any]]) -> Scores:
        """Return the model's answers for checked columns in the order of the schema; labels are left empty."""
        rows = len(columns[0])
        feed: dict[str, npt.NDArray[Any]] = {}
        for dtype, names, places in self._numbers:
            # One array for all numbers: each row of it is a column, contiguous, and a view.
            block = np.array([columns[place] for place in places], dtype=dtype)
            feed.update(zip(names, block.reshape(len(places), rows, 1), strict=True))
        for name, place in self._texts:
            values = [MISSING_TEXT if value is None else value for value in columns[place]]
            feed[name] = np.array(values, dtype=object).reshape(rows, 1)
        (answer,) = self._session.run([self._output], feed)
        if self._regression:
            return Scores(
                label=_NO_LABELS, probability=_NO_PROBABILITIES, value=answer.reshape(rows)
            )
        return Scores(label=_NO_LABELS, probability=answer, value=_NO_VALUES)

    def _plan_inputs(self, document: RequestDocument) -> None:
        """Find out which column goes into which input, as what type."""
        inputs = {entry.name: entry.type for entry in self._session.get_inputs()}
        names = [rule.name for rule in document.columns]
        if set(inputs) != set(names):
            msg = (
                f"model.onnx has inputs {sorted(inputs)}, request.json has columns {sorted(names)}"
            )
            raise BundleError(msg)
        groups: dict[Any, tuple[list[str], list[int]]] = {}
        self._texts: list[tuple[str, int]] = []
        for place, rule in enumerate(document.columns):
            if inputs[rule.name] == _TEXT:
                _require_text(rule)
                self._texts.append((rule.name, place))
                continue
            group = groups.setdefault(_number_type(rule, inputs[rule.name]), ([], []))
            group[0].append(rule.name)
            group[1].append(place)
        self._numbers = [(dtype, names, places) for dtype, (names, places) in groups.items()]

    def _plan_output(self, document: RequestDocument) -> None:
        """Find the output that holds probabilities, or values."""
        self._regression = document.task == "regression"
        outputs = [entry.name for entry in self._session.get_outputs()]
        if self._regression:
            self._output = "variable" if "variable" in outputs else outputs[0]
            return
        found = [name for name in _PROBABILITY_NAMES if name in outputs]
        if not found:
            msg = f"model.onnx has outputs {outputs}, a classifier needs one of {list(_PROBABILITY_NAMES)}"
            raise BundleError(msg)
        self._output = found[0]


def _number_type(rule: ColumnRule, declared: str) -> Any:
    """Return the numpy type of an input that takes numbers."""
    if declared in _NUMBERS and rule.kind not in ("text", "category"):
        return _NUMBERS[declared]
    if declared in _WHOLE and rule.kind in ("int", "bool") and not rule.nullable:
        return _WHOLE[declared]
    null = " that may be null" if rule.nullable else ""
    msg = f"model.onnx takes {rule.name!r} as {declared}; request.json says {rule.kind}{null}"
    raise BundleError(msg)


def _require_text(rule: ColumnRule) -> None:
    """Refuse a text input for a column that is not text."""
    if rule.kind not in ("text", "category"):
        msg = f"model.onnx takes {rule.name!r} as text; request.json says {rule.kind}"
        raise BundleError(msg)
