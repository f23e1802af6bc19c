"""Tests of graphs in the making."""

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from setpoint.training.conversion.graph import OPSET, Graph
from setpoint.training.conversion.not_convertible import NotConvertibleError
from setpoint.training.conversion.session import open_session


def foreign(opset=OPSET, inputs=1):
    """A model with two outputs, one of which is wanted."""
    names = [f"X{at}" for at in range(inputs)]
    nodes = [
        helper.make_node("Neg", ["X0"], ["wanted"]),
        helper.make_node("Abs", ["X0"], ["idle"]),
    ]
    entries = [helper.make_tensor_value_info(name, TensorProto.DOUBLE, [None, 1]) for name in names]
    outputs = [
        helper.make_tensor_value_info(name, TensorProto.DOUBLE, [None, 1])
        for name in ("wanted", "idle")
    ]
    graph = helper.make_graph(nodes, "foreign", entries, outputs)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)])


def test_what_nothing_uses_is_left_out():
    graph = Graph(1, 2)
    graph.add("Sqrt", "numbers")
    out = graph.include(foreign(), "numbers")
    data = graph.finished(graph.add("Add", out["wanted"], graph.constant(1.0)), "variable", 1)
    model = onnx.load_from_string(data)
    assert {node.op_type for node in model.graph.node} == {"Identity", "Neg", "Add"}
    assert [entry.name for entry in model.graph.input] == ["numbers", "texts"]
    feed = {"numbers": np.array([[3.0]]), "texts": np.array([["a", "b"]], object)}
    assert open_session(data).run(None, feed)[0].tolist() == [[-2.0]]


def test_the_same_part_may_be_there_twice():
    graph = Graph(1, 0)
    once = graph.include(foreign(), "numbers")["wanted"]
    twice = graph.include(foreign(), once)["wanted"]
    data = graph.finished(twice, "variable", 1)
    assert open_session(data).run(None, {"numbers": np.array([[3.0]])})[0].tolist() == [[3.0]]


def test_a_part_with_other_operators_or_more_inputs_is_refused():
    with pytest.raises(NotConvertibleError, match="version 13"):
        Graph(1, 0).include(foreign(opset=13), "numbers")
    with pytest.raises(NotConvertibleError, match="2 inputs"):
        Graph(1, 0).include(foreign(inputs=2), "numbers")


def test_equal_constants_are_kept_once():
    graph = Graph(1, 0)
    assert graph.constant([1.0, 2.0]) == graph.constant([1.0, 2.0])
    assert graph.constant([1, 2], np.int64) != graph.constant([1.0, 2.0])
    assert graph.constant([["a"]], object) == graph.constant([["a"]], object)


def test_the_same_calls_give_the_same_bytes():
    def made():
        graph = Graph(2, 0)
        return graph.finished(graph.add("Neg", "numbers"), "variable", 2)

    assert made() == made()
