"""Tests of what goes into an ONNX model."""

import numpy as np
import pandas as pd
import pytest
from onnx import TensorProto, helper

from setpoint.errors import BundleError
from setpoint.facts.training import Feature
from setpoint.training.conversion.layout import Layout
from setpoint.training.conversion.session import open_session
from setpoint.training.model import Form, OnnxModel

FEATURES = (
    Feature(name="b", kind="category"),
    Feature(name="n", kind="float"),
    Feature(name="t", kind="text"),
    Feature(name="f", kind="bool"),
)
FRAME = pd.DataFrame(
    {
        "b": pd.Series(["x", np.nan], dtype=object),
        "n": [1.5, np.nan],
        "t": pd.Series(["nan", "y"], dtype=object),
        "f": [1.0, 0.0],
    }
)


def test_rows_and_one_row_are_laid_out_the_same():
    layout = Layout(FEATURES)
    assert layout.widths() == {"numbers": 2, "texts": 2}
    feed = layout.feed(FRAME)
    np.testing.assert_array_equal(feed["numbers"], [[1.5, 1.0], [np.nan, 0.0]])
    assert feed["texts"].tolist() == [["x", "nan"], ["", "y"]]
    for at in (0, 1):
        one = layout.feed_one(FRAME.iloc[at].to_dict())
        np.testing.assert_array_equal(one["numbers"], feed["numbers"][at : at + 1])
        assert one["texts"].tolist() == feed["texts"][at : at + 1].tolist()
    none = layout.feed_one({"b": None, "n": None, "t": "", "f": True})
    np.testing.assert_array_equal(none["numbers"], [[np.nan, 1.0]])
    assert none["texts"].tolist() == [["", ""]]


def test_a_tensor_without_columns_is_no_input():
    assert Layout(FEATURES[1:2]).widths() == {"numbers": 1}
    assert list(Layout(FEATURES[:1]).feed(FRAME)) == ["texts"]


def test_a_model_with_one_input_for_each_column_is_refused():
    entries = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [None, 1]) for name in "nf"]
    output = helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, [None, 2])
    node = helper.make_node("Concat", ["n", "f"], ["probabilities"], axis=1)
    graph = helper.make_graph([node], "old", entries, [output])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=9)
    form = Form("binary", (FEATURES[1], FEATURES[3]), ("a", "b"), 0.5)
    with pytest.raises(BundleError, match=r"inputs \{'n': 1, 'f': 1\}, .* need \{'numbers': 2\}"):
        OnnxModel(open_session(model.SerializeToString()), form)
