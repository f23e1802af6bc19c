"""An ONNX graph in the making: nodes in the order of the calls, and tensors under names that the graph gives."""

from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, compose, helper, numpy_helper

from setpoint.training.conversion.layout import NUMBERS, TEXTS
from setpoint.training.conversion.not_convertible import NotConvertibleError

ML = "ai.onnx.ml"
OPSET = 20  # the first with StringConcat
_ML_OPSET = 5  # the first with TreeEnsemble
_OLD_ML_OPSET = 4  # the last in which a foreign part's older tree operators are not deprecated
_IR_VERSION = 9


class Graph:
    """Collects nodes and constants.

    Args:
        numbers: Columns of the input `numbers`.
        texts: Columns of the input `texts`.

    Attributes:
        texts: Columns of the input `texts`.
        widths: Columns of each tensor of numbers whose columns are used one by one.
    """

    def __init__(self, numbers: int, texts: int) -> None:
        self.texts = texts
        self.widths = {NUMBERS: numbers}
        self._nodes: list[Any] = []
        self._constants: dict[tuple[Any, ...], Any] = {}
        self._foreign: list[Any] = []
        self._parts = 0

    def add(self, operator: str, *inputs: str, domain: str = "", **attributes: Any) -> str:
        """Add a node with one output and return the output's name."""
        name = f"t{len(self._nodes)}"
        node = helper.make_node(operator, list(inputs), [name], domain=domain, **attributes)
        self._nodes.append(node)
        return name

    def constant(self, values: npt.ArrayLike, dtype: Any = np.float64) -> str:
        """Return the name of a constant; equal ones are kept once."""
        array = np.asarray(values, dtype=dtype)
        content = tuple(array.ravel()) if array.dtype == object else array.tobytes()
        key = (array.dtype.str, array.shape, content)
        if key not in self._constants:
            self._constants[key] = numpy_helper.from_array(array, f"c{len(self._constants)}")
        return str(self._constants[key].name)

    def include(self, model: Any, tensor: str) -> dict[str, str]:
        """Put a foreign model with one input into the graph and return the names of its outputs.

        Args:
            model: An `onnx.ModelProto`; where it has several nodes that nothing uses, these are left out at the end.
            tensor: What goes into its input.

        Raises:
            NotConvertibleError: It uses newer operators than this graph, or more than one input.
        """
        for needed in model.opset_import:
            if needed.domain in ("", "ai.onnx") and needed.version != OPSET:
                msg = (
                    f"a part was converted with operators of version {needed.version}, not {OPSET}"
                )
                raise NotConvertibleError(msg)
        self._parts += 1
        prefix = f"p{self._parts}_"
        foreign = compose.add_prefix(model, prefix).graph
        if len(foreign.input) != 1:
            msg = f"a part was converted with {len(foreign.input)} inputs"
            raise NotConvertibleError(msg)
        self._nodes.append(helper.make_node("Identity", [tensor], [foreign.input[0].name]))
        self._nodes.extend(foreign.node)
        self._foreign.extend(foreign.initializer)
        return {output.name.removeprefix(prefix): output.name for output in foreign.output}

    def finished(self, tensor: str, output: str, width: int) -> bytes:
        """Return the serialised model.

        Args:
            tensor: The answer, double of shape (n, width).
            output: The name that it is given.
            width: Its columns.
        """
        nodes = _needed(self._nodes, tensor)
        for node in nodes:
            node.input[:] = [output if name == tensor else name for name in node.input]
            node.output[:] = [output if name == tensor else name for name in node.output]
        used = {name for node in nodes for name in _inputs(node)}
        constants = [one for one in (*self._constants.values(), *self._foreign) if one.name in used]
        inputs = []
        if self.widths[NUMBERS]:
            shape = [None, self.widths[NUMBERS]]
            inputs.append(helper.make_tensor_value_info(NUMBERS, TensorProto.DOUBLE, shape))
        if self.texts:
            shape = [None, self.texts]
            inputs.append(helper.make_tensor_value_info(TEXTS, TensorProto.STRING, shape))
        answer = helper.make_tensor_value_info(output, TensorProto.DOUBLE, [None, width])
        graph = helper.make_graph(nodes, "model", inputs, [answer], initializer=constants)
        own_trees = any(node.op_type == "TreeEnsemble" for node in nodes)
        opsets = [
            helper.make_opsetid("", OPSET),
            helper.make_opsetid(ML, _ML_OPSET if own_trees else _OLD_ML_OPSET),
        ]
        model = helper.make_model(graph, opset_imports=opsets, ir_version=_IR_VERSION)
        model.producer_name = "setpoint"
        onnx.checker.check_model(model)
        return bytes(model.SerializeToString(deterministic=True))


def _needed(nodes: list[Any], tensor: str) -> list[Any]:
    """Return the nodes that a tensor is made by, in their order."""
    wanted = {tensor}
    kept = []
    for node in reversed(nodes):
        if wanted.intersection(node.output):
            kept.append(node)
            wanted.update(_inputs(node))
    return kept[::-1]


def _inputs(node: Any) -> list[str]:
    """Return the tensors that a node uses, those of its inner graphs too."""
    names = list(node.input)
    for attribute in node.attribute:
        for inner in (attribute.g, *attribute.graphs):
            names += [name for one in inner.node for name in _inputs(one)]
    return names
