"""Tests of tensors: the same values however they are sent, and every malformed one refused."""

import json

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from setpoint.gateway.doors.tensors import Tensor, as_bytes, sound_tensors
from setpoint.gateway.wire.refusal import RefusedError

RANGES = {
    f"{sign}INT{bits}": (0, 2**bits - 1) if sign else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
    for sign in ("", "U")
    for bits in (8, 16, 32, 64)
}


def tensor(datatype, shape, data=None, **parameters):
    made = Tensor("x", shape, datatype, parameters=parameters or None)
    if data is None:
        return made
    return msgspec.structs.replace(made, data=msgspec.Raw(json.dumps(data).encode()))


def values(datatype, shape, data):
    (one,) = sound_tensors([tensor(datatype, shape, data)], None)
    return one.values()


def binary_values(datatype, shape, sent):
    given_tensor = tensor(datatype, shape, binary_data_size=len(sent))
    (one,) = sound_tensors([given_tensor], sent)
    return one.values()


def refusal(call, *args):
    with pytest.raises(RefusedError) as refused:
        call(*args)
    return refused.value.status, str(refused.value)


@st.composite
def contents(draw):
    """A datatype with elements that it can hold."""
    datatype = draw(st.sampled_from([*RANGES, "BOOL", "FP32", "FP64", "BYTES"]))
    if datatype in RANGES:
        element = st.integers(*RANGES[datatype])
    else:
        element = {
            "BOOL": st.booleans(),
            "FP32": st.floats(width=32, allow_nan=False),
            "FP64": st.floats(allow_nan=False),
            "BYTES": st.text(),
        }[datatype]
    return datatype, draw(st.lists(element, min_size=1, max_size=6))


@settings(max_examples=300, deadline=None, derandomize=True)
@given(contents())
def test_elements_are_the_same_flat_nested_and_as_bytes(content):
    datatype, data = content
    size = len(data)
    assert binary_values(datatype, [size], as_bytes(datatype, data)) == data
    if all(value not in (float("inf"), -float("inf")) for value in data):
        assert values(datatype, [size], data) == data
        assert values(datatype, [size, 1], [[value] for value in data]) == data
        assert values(datatype, [1, size], [data]) == data


@pytest.mark.parametrize("datatype", sorted(RANGES))
def test_whole_number_beyond_its_datatype_is_refused(datatype):
    low, high = RANGES[datatype]
    assert values(datatype, [2], [low, high]) == [low, high]
    for beyond in (low - 1, high + 1):
        status, reason = refusal(values, datatype, [2], [0, beyond])
        assert status == 422
        assert f"row 1: column 'x': holds {str(beyond)[:10]}" in reason


def test_null_is_an_element_of_every_datatype():
    for datatype, value in (("INT8", 1), ("FP16", 1.5), ("BOOL", True), ("BYTES", "a")):
        assert values(datatype, [2], [None, value]) == [None, value]


def test_nan_as_bytes_is_null():
    sent = np.array([1.5, np.nan], np.float32).tobytes()
    assert binary_values("FP32", [2], sent) == [1.5, None]


@pytest.mark.parametrize(
    ("datatype", "shape", "sent", "reason"),
    [
        ("FP64", [2], b"\0" * 15, "its data have 15 bytes of 8 an element"),
        ("INT32", [2, 2], b"\0" * 8, "its data have 8 bytes of 4 an element"),
        ("BOOL", [2], b"\0\2", "holds a byte that is neither 0 nor 1"),
        ("BYTES", [1], b"\5\0\0\0abc", "its data end within a text"),
        ("BYTES", [1], b"\1\0", "its data end within a text"),
        ("BYTES", [1], b"\xff\xff\xff\xffabc", "its data end within a text"),
        ("BYTES", [2], b"\1\0\0\0a", "its data have 1 texts"),
        ("BYTES", [1], b"\1\0\0\0\xff", "row 0: column 'x': holds a text that is not UTF-8"),
        ("FP64", [10**9, 10**9], b"\0" * 8, "its data have 8 bytes"),
    ],
)
def test_bytes_that_do_not_fill_the_tensor_are_refused(datatype, shape, sent, reason):
    status, said = refusal(binary_values, datatype, shape, sent)
    assert status == 422
    assert reason in said


@pytest.mark.parametrize(
    ("tensors", "behind", "reason"),
    [
        ([tensor("FP64", [1])], None, "has no data"),
        ([tensor("FP64", [1], [1.0], binary_data_size=8)], b"\0" * 8, "both data and binary"),
        ([tensor("FP64", [1], binary_data_size=8)], None, "no header Inference-Header"),
        ([tensor("FP64", [1], binary_data_size=8)], b"\0" * 7, "has 8 bytes, 7 are left"),
        ([tensor("FP64", [1], binary_data_size=8)], b"\0" * 9, "1 bytes behind the JSON belong"),
        ([tensor("FP64", [1], [1.0])], b"\0", "1 bytes behind the JSON belong"),
        ([tensor("FP64", [1], binary_data_size=-1)], b"", "no size"),
        ([tensor("FP64", [1], binary_data_size=True)], b"\0", "no size"),
        ([tensor("FP64", [1], binary_data_size="8")], b"\0" * 8, "no size"),
        ([tensor("FP64", [1], shared_memory_region="r")], None, "lies in shared memory"),
    ],
)
def test_bytes_that_are_announced_wrongly_are_refused(tensors, behind, reason):
    status, said = refusal(sound_tensors, tensors, behind)
    assert status == 400
    assert reason in said


def test_several_tensors_share_the_bytes_in_their_order():
    parts = [np.array([1, 2], np.int16).tobytes(), as_bytes("BYTES", ["a", ""])]
    made = [
        tensor("INT16", [2], binary_data_size=len(parts[0])),
        tensor("FP64", [2], [1.5, None]),
        tensor("BYTES", [2], binary_data_size=len(parts[1])),
    ]
    found = sound_tensors(made, b"".join(parts))
    assert [one.values() for one in found] == [[1, 2], [1.5, None], ["a", ""]]
