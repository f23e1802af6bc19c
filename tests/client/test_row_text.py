import datetime as dt
import json
from types import MappingProxyType

import msgspec
import numpy as np
import pandas as pd
import pytest

from setpoint.client.row_text import row_text
from setpoint.errors import UsageError


class Customer(msgspec.Struct):
    tenure: int


@pytest.mark.parametrize(
    ("row", "sent"),
    [
        ({"a": 1, "b": None, "c": True, "d": "ü"}, {"a": 1, "b": None, "c": True, "d": "ü"}),
        ({"a": float("nan")}, {"a": None}),
        ({"a": np.float64(1.5), "b": np.int64(3), "c": np.bool_(True)}, {"a": 1.5, "b": 3, "c": True}),
        ({"a": np.float32("nan"), "b": np.float64("nan")}, {"a": None, "b": None}),
        ({"a": np.str_("x")}, {"a": "x"}),
        ({"a": pd.NA, "b": pd.NaT}, {"a": None, "b": None}),
        (MappingProxyType({"a": 1}), {"a": 1}),
        (Customer(3), {"tenure": 3}),
        (msgspec.Raw(b'{"a": 1}'), {"a": 1}),
        ({"at": dt.datetime(2024, 5, 1, 12)}, {"at": "2024-05-01T12:00:00"}),  # noqa: DTZ001 (tables have such)
        ({"at": pd.Timestamp("2024-05-01 12:00")}, {"at": "2024-05-01T12:00:00"}),
    ],
)  # fmt: skip
def test_values_that_programs_hold_become_json(row, sent):
    assert json.loads(row_text(row)) == sent


def test_a_row_of_a_frame_can_be_sent():
    frame = pd.DataFrame({"tenure": [3], "charges": [70.5], "plan": ["monthly"]})
    (row,) = frame.to_dict("records")
    assert json.loads(row_text(row)) == {"tenure": 3, "charges": 70.5, "plan": "monthly"}


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ([1, 2], "row 7 is a list"),
        ("text", "row 7 is a str"),
        ({"a": object()}, "row 7 cannot be sent: a object"),
        ({"a": np.array([1, 2])}, "row 7 cannot be sent: a ndarray"),
        ({"a": "\ud800"}, "row 7 cannot be sent"),
    ],
)
def test_what_is_no_row_is_refused_before_it_is_sent(row, reason):
    with pytest.raises(UsageError, match=reason):
        row_text(row, "row 7")
