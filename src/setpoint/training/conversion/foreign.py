"""Parts that skl2onnx converts: all that have no form of ours. They take one matrix, and meet what they were fitted on.

It is asked for double first, which most of scikit-learn calculates in, and for float32 where it has no other.
"""

import io
import logging
import warnings
from contextlib import redirect_stderr, redirect_stdout
from typing import Any

from onnx import TensorProto
from skl2onnx import to_onnx
from skl2onnx.common.data_types import DoubleTensorType, FloatTensorType, StringTensorType

from setpoint.training.conversion.answer import Answer
from setpoint.training.conversion.columns import Block, Text
from setpoint.training.conversion.graph import ML, OPSET, Graph
from setpoint.training.conversion.layout import PROBABILITIES, TEXTS
from setpoint.training.conversion.matrix import columns_of, matrix, picked
from setpoint.training.conversion.not_convertible import NotConvertibleError
from setpoint.training.conversion.session import open_session

_ML_OPSET = 3  # skl2onnx knows no newer trees


def foreign_step(part: Any, block: Block, graph: Graph) -> Block:
    """Return the columns after a transformer that skl2onnx converts.

    Raises:
        NotConvertibleError: It cannot, or the part takes text and numbers at once.
    """
    texts = [column for column in block.columns if isinstance(column, Text)]
    if not texts:
        tensor, width = _included(part, matrix(graph, block.columns), len(block.columns), graph)
        return Block(columns_of(graph, tensor, width))
    if len(texts) < len(block.columns) or any(text.fill for text in texts):
        msg = f"{type(part).__name__} takes text and numbers at once"
        raise NotConvertibleError(msg)
    cells = picked(graph, TEXTS, [text.position for text in texts], graph.texts)
    tensor, width = _included(part, cells, len(texts), graph, text=True)
    return Block(columns_of(graph, tensor, width))


def foreign_answer(part: Any, block: Block, graph: Graph) -> Answer:
    """Return what an estimator answers that skl2onnx converts.

    Raises:
        NotConvertibleError: It cannot.
    """
    tensor, width = _included(part, matrix(graph, block.columns), len(block.columns), graph)
    if hasattr(part, "predict_proba"):
        return Answer(tensor, len(part.classes_), "probabilities")
    return Answer(tensor, width, "value")


def _included(
    part: Any, tensor: str, columns: int, graph: Graph, *, text: bool = False
) -> tuple[str, int]:
    """Return a part's answer, double of shape (n, width), and the width."""
    if text:
        model = _converted(part, StringTensorType([None, columns]))
        element = TensorProto.STRING
    else:
        model, element = _of_numbers(part, columns)
        if element == TensorProto.FLOAT:
            tensor = graph.add("Cast", tensor, to=element)
    outputs = {one.name: one.type.tensor_type for one in model.graph.output}
    name = PROBABILITIES if PROBABILITIES in outputs else next(iter(outputs))
    found = graph.include(model, tensor)[name]
    if outputs[name].elem_type != TensorProto.DOUBLE:
        found = graph.add("Cast", found, to=TensorProto.DOUBLE)
    shape = outputs[name].shape.dim
    return found, int(shape[-1].dim_value) if shape else 0


def _of_numbers(part: Any, columns: int) -> tuple[Any, int]:
    try:
        model = _converted(part, DoubleTensorType([None, columns]))
        open_session(model.SerializeToString())
    except Exception:  # noqa: BLE001  it has no double form, which is found out in many ways
        return _converted(part, FloatTensorType([None, columns])), TensorProto.FLOAT
    return model, TensorProto.DOUBLE


def _converted(part: Any, kind: Any) -> Any:
    """Return skl2onnx's model of a part; whatever it prints on the way is not for people."""
    logging.getLogger("skl2onnx").setLevel(logging.ERROR)
    with warnings.catch_warnings(), redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
        warnings.simplefilter("ignore")
        return to_onnx(
            part,
            initial_types=[("X", kind)],
            options={"zipmap": False} if hasattr(part, "predict_proba") else None,
            target_opset={"": OPSET, ML: _ML_OPSET},
        )
