"""A native model as ONNX, believed only where it answers the same.

The risk is real: ONNX inputs are float32, so a number within one float32 step of a tree's threshold may take the other
branch; and a converter may not know a part. So each conversion is held against the native model on the evaluation
rows and on made-up edge rows, and its reason for failing goes on record.
"""

import copy
import io
import logging
import warnings
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pandas as pd
from onnx import helper
from skl2onnx import to_onnx
from skl2onnx.common.data_types import FloatTensorType, StringTensorType
from sklearn.base import BaseEstimator
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder

from setpoint.facts.evidence import Scores
from setpoint.facts.training import Feature
from setpoint.training.frame import is_numeric
from setpoint.training.model import Form, NativeModel, OnnxModel

MOST_FEATURES = 1000
"""Models with more inputs stay native: the converter's time grows faster than their number."""

ROWS_FOR_ONE = 10_000  # rows among which one may differ by more than the tolerance
TOLERANCE = 1e-4  # of a probability; of a value, relative to its size or the answers' spread
_EDGE_FEATURES = 100  # features with edge rows of their own
_UNSEEN = "\u2047 never seen"


class _NotConvertibleError(Exception):
    """The model stays native; the message says why."""


@dataclass(frozen=True)
class Converted:
    """An ONNX model that answers like the native one, or the reason why there is none.

    Args:
        data: The serialised model; empty where there is none.
        reason: Why there is none; empty where there is one.
        model: The ONNX model, ready to answer; None where there is none.
        answers: Its answers on the evaluation rows; None where there is none.
    """

    data: bytes = b""
    reason: str = ""
    model: OnnxModel | None = None
    answers: Scores | None = None


def convert(
    model: NativeModel, evaluation: pd.DataFrame, answers: Scores, fit: pd.DataFrame
) -> Converted:
    """Convert a native model and compare it with its origin.

    Args:
        model: The native model.
        evaluation: Evaluation rows.
        answers: The native answers on them.
        fit: Rows it was fitted on, which the edge rows are made from.
    """
    try:
        data = _translated(model)
        converted = OnnxModel(open_session(data), model.form)
        given = converted.answer(evaluation)
        if difference := differing(answers, given):
            return Converted(reason=f"ONNX answers differ on evaluation rows: {difference}")
        edges = edge_rows(fit, model.form.features)
        if difference := differing(model.answer(edges), converted.answer(edges)):
            return Converted(reason=f"ONNX answers differ on edge rows: {difference}")
    except _NotConvertibleError as error:
        return Converted(reason=str(error))
    except Exception as error:  # noqa: BLE001  converters raise whatever they like; the reason is kept
        first = str(error).strip().split("\n")[0][:300]
        return Converted(reason=f"not convertible to ONNX: {type(error).__name__}: {first}")
    return Converted(data, "", converted, given)


def open_session(data: bytes) -> Any:
    """Return an ONNX session that answers in the calling thread."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])


def differing(native: Scores, other: Scores) -> str:
    """Return how answers differ by more than is allowed; empty where they agree.

    Labels follow from probabilities. Where these agree, a label can differ only within the tolerance of the threshold,
    such as at the ties of a forest's votes, and there either label is a matter of rounding.
    """
    if native.value.size:
        spread = float(np.std(native.value))
        allowed = TOLERANCE * np.maximum(np.abs(native.value), spread)
        gap = np.abs(native.value - other.value)
        far = gap > allowed
    else:
        gap = np.abs(native.probability - other.probability).max(axis=1, initial=0.0)
        far = gap > TOLERANCE
    bad = int(np.count_nonzero(far))
    if bad * ROWS_FOR_ONE <= len(far):
        return ""
    return f"{bad} of {len(far)} rows, by up to {float(gap.max()):.3g}"


def edge_rows(fit: pd.DataFrame, features: tuple[Feature, ...]) -> pd.DataFrame:
    """Return rows at the edges: each feature in turn missing, unseen, extreme or between; and all missing.

    Args:
        fit: Rows to start from; the first, the middle and the last one serve.
        features: Input columns; at most 100 of them, evenly spread, get rows of their own.
    """
    chosen = np.unique(
        np.linspace(0, len(features) - 1, min(len(features), _EDGE_FEATURES)).astype(int)
    )
    bases = fit.iloc[[0, len(fit) // 2, len(fit) - 1]]
    edges: list[tuple[int, str, Any]] = []
    for number, position in enumerate(chosen):
        feature = features[int(position)]
        base = number % len(bases)
        edges.extend((base, feature.name, value) for value in _edges(fit[feature.name], feature))
    rows = bases.iloc[[base for base, _, _ in edges]].reset_index(drop=True)
    columns = {name: rows[name].to_numpy().copy() for name in rows.columns}
    for at, (_, name, value) in enumerate(edges):
        columns[name][at] = value
    changed = pd.DataFrame(columns)
    blank = bases.iloc[:1].copy()
    blank[:] = np.nan
    return pd.concat([changed, blank], ignore_index=True)


def _edges(column: pd.Series, feature: Feature) -> list[Any]:
    if not is_numeric(feature):
        return [np.nan, _UNSEEN, "None", "nan"]
    values = column.to_numpy()
    values = values[~np.isnan(values)]
    if not values.size:
        return [np.nan, 0.0]
    low, high = float(values.min()), float(values.max())
    span = high - low
    ends = [low, high, low - span - 1, high + span + 1, float(np.median(values))]
    return [np.nan, 0.0, -1.0, *(float(np.float32(end)) for end in ends)]


def _translated(model: NativeModel) -> bytes:
    form = model.form
    if not isinstance(model.estimator, BaseEstimator):
        msg = f"{type(model.estimator).__name__} is not a scikit-learn estimator"
        raise _NotConvertibleError(msg)
    if len(form.features) > MOST_FEATURES:
        msg = f"{len(form.features)} input columns are more than the {MOST_FEATURES} that are converted"
        raise _NotConvertibleError(msg)
    if form.task != "regression" and not hasattr(model.estimator, "predict_proba"):
        msg = f"{type(model.estimator).__name__} gives no probabilities"
        raise _NotConvertibleError(msg)
    types = [
        (feature.name, (FloatTensorType if is_numeric(feature) else StringTensorType)([None, 1]))
        for feature in form.features
    ]
    options = {"zipmap": False} if form.task != "regression" else None
    logging.getLogger("skl2onnx").setLevel(logging.ERROR)
    with warnings.catch_warnings(), redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
        warnings.simplefilter("ignore")
        graph = to_onnx(
            _without_missing(model.estimator), initial_types=types, options=options, name="model"
        )
    _rename(graph, form)
    if form.task != "regression":
        _reorder(graph, model.class_order())
    onnx.checker.check_model(graph)
    return bytes(graph.SerializeToString(deterministic=True))


def _without_missing(estimator: Any) -> Any:
    """Return a copy whose encoders meet "" where the original meets NaN; ONNX texts cannot be NaN."""
    clone = copy.deepcopy(estimator)
    for encoder in _encoders(clone):
        one_hot = isinstance(encoder, OneHotEncoder)
        encoder.categories_ = [
            # An ordinal code for missing equals that for unseen, so there "" need be in no list.
            np.array(
                [
                    ("" if pd.isna(value) else value)
                    for value in known
                    if one_hot or not pd.isna(value)
                ],
                object,
            )
            for known in encoder.categories_
        ]
    return clone


def _encoders(estimator: Any) -> list[Any]:
    if isinstance(estimator, OneHotEncoder | OrdinalEncoder):
        return [estimator]
    parts = [part for _, part, *_ in getattr(estimator, "transformers_", [])]
    parts += [part for _, part in getattr(estimator, "steps", [])]
    return [found for part in parts for found in _encoders(part)]


def _rename(graph: Any, form: Form) -> None:
    """Give the inputs the features' names; the converter spells them its own way."""
    inputs = graph.graph.input
    names = [feature.name for feature in form.features]
    if len(inputs) != len(names):
        msg = f"the converter made {len(inputs)} inputs of {len(names)} columns"
        raise _NotConvertibleError(msg)
    outputs = {output.name for output in graph.graph.output}
    if taken := sorted(outputs & set(names)):
        msg = f"the column {taken[0]!r} has the name of an output"
        raise _NotConvertibleError(msg)
    new: dict[str, str] = dict(zip((str(entry.name) for entry in inputs), names, strict=True))
    prefix = "~"
    while any(name.startswith(prefix) for name in names):
        prefix += "~"

    def renamed(name: str) -> str:
        if not name or name in outputs:
            return name
        return new.get(name) or prefix + name

    for entry in (*inputs, *graph.graph.initializer, *graph.graph.value_info):
        entry.name = renamed(entry.name)
    for node in graph.graph.node:
        node.input[:] = [renamed(name) for name in node.input]
        node.output[:] = [renamed(name) for name in node.output]


def _reorder(graph: Any, order: list[int]) -> None:
    """Put the columns of the probabilities into the order of the form's classes."""
    if order == sorted(order):
        return
    for node in graph.graph.node:
        node.output[:] = ["~unordered" if name == "probabilities" else name for name in node.output]
        node.input[:] = ["~unordered" if name == "probabilities" else name for name in node.input]
    graph.graph.initializer.append(
        helper.make_tensor("~order", onnx.TensorProto.INT64, [len(order)], order)
    )
    graph.graph.node.append(
        helper.make_node("Gather", ["~unordered", "~order"], ["probabilities"], axis=1)
    )
