"""Lists in a message are the bytes that would have been sent; what cannot be is refused by column, row and reason."""

import numpy as np
import pytest

from setpoint.gateway.grpc.contents import put_parameters, read_tensors, write_tensors
from setpoint.gateway.grpc.messages import MESSAGES
from setpoint.gateway.wire.refusal import RefusedError

INT8, UINT16 = np.iinfo(np.int8), np.iinfo(np.uint16)
SENT = {
    "BOOL": ("bool_contents", [True, False, True]),
    "INT8": ("int_contents", [INT8.min, 0, INT8.max]),
    "INT16": ("int_contents", [-300, 0, 300]),
    "INT32": ("int_contents", [-(2**31), 0, 2**31 - 1]),
    "INT64": ("int64_contents", [-(2**63), 2**53 + 1, 2**63 - 1]),
    "UINT8": ("uint_contents", [0, 1, 255]),
    "UINT16": ("uint_contents", [0, 1, UINT16.max]),
    "UINT32": ("uint_contents", [0, 1, 2**32 - 1]),
    "UINT64": ("uint64_contents", [0, 2**63, 2**64 - 1]),
    "FP32": ("fp32_contents", [0.1, -0.0, float("nan")]),
    "FP64": ("fp64_contents", [0.1, 5e-324, float("nan")]),
    "BYTES": ("bytes_contents", ["süd".encode(), b"", b"\0"]),
}
TYPES = {"BOOL": "?", "FP32": "<f4", "FP64": "<f8"} | {
    f"{sign}INT{bits}": f"<{kind}{bits // 8}"
    for sign, kind in (("", "i"), ("U", "u"))
    for bits in (8, 16, 32, 64)
}


def raw_of(datatype, values):
    if datatype == "BYTES":
        return b"".join(len(one).to_bytes(4, "little") + one for one in values)
    return np.array(values, TYPES[datatype]).tobytes()


def asked(datatype, contents=None, shape=(3,), raw=(), **more):
    tensor = {"name": "a", "datatype": datatype, "shape": shape, "contents": contents} | more
    return MESSAGES["ModelInferRequest"](inputs=[tensor], raw_input_contents=raw)


@pytest.mark.parametrize("datatype", SENT)
def test_a_list_is_what_its_bytes_are(datatype):
    field, values = SENT[datatype]
    (listed,) = read_tensors(asked(datatype, {field: values}))
    (packed,) = read_tensors(asked(datatype, raw=[raw_of(datatype, values)]))
    assert repr(listed.values()) == repr(packed.values())
    assert len(listed.values()) == 3


def test_nan_is_null_and_texts_are_text():
    field, values = SENT["FP64"]
    (tensor,) = read_tensors(asked("FP64", {field: values}))
    assert tensor.values() == [0.1, 5e-324, None]
    field, values = SENT["BYTES"]
    (tensor,) = read_tensors(asked("BYTES", {field: values}))
    assert tensor.values() == ["süd", "", "\0"]


@pytest.mark.parametrize(
    ("request_", "status", "said"),
    [
        (asked("INT8", {"int_contents": [0, 128, 0]}), 422, "row 1: column 'a': holds 128"),
        (asked("UINT8", {"uint_contents": [0, 1, 256]}), 422, "row 2: column 'a': holds 256"),
        (asked("FP64", {"fp32_contents": [1, 2, 3]}), 400, "has fp32_contents, its datatype FP64"),
        (
            asked("FP64", {"fp64_contents": [1, 2, 3], "bool_contents": [True]}),
            400,
            "bool_contents",
        ),
        (asked("FP16", {"fp32_contents": [1, 2, 3]}), 400, "no list for FP16"),
        (asked("FP64", {"fp64_contents": [1, 2]}), 422, "its data have 2 elements"),
        (asked("FP64"), 400, "has no data"),
        (asked("BF16", raw=[b"123456"]), 422, "datatype 'BF16' is not one of"),
        (asked("FP64", raw=[b"1234567"]), 422, "its data have 7 bytes of 8 an element"),
        (asked("FP64", raw=[b"", b""]), 400, "1 inputs, and raw_input_contents of 2"),
        (asked("FP64", {"fp64_contents": [1.0]}, raw=[b"12345678"]), 400, "send one of them"),
        (asked("FP64", shape=(), raw=[b"12345678"]), 422, "has shape []"),
        (asked("FP64", shape=(-1,), raw=[b"12345678"]), 422, "has shape [-1]"),
        (asked("FP64", shape=(2**62, 2**62), raw=[b"12345678"]), 422, "its data have 8 bytes"),
        (
            asked("FP64", raw=[b""], parameters={"shared_memory_region": {"string_param": "r"}}),
            400,
            "lies in shared memory",
        ),
    ],
)
def test_what_cannot_be_is_refused_with_the_reason(request_, status, said):
    with pytest.raises(RefusedError) as caught:
        _ = [tensor.values() for tensor in read_tensors(request_)]
    assert caught.value.status == status
    assert said in str(caught.value)


def test_broken_text_is_named_by_row():
    (tensor,) = read_tensors(asked("BYTES", {"bytes_contents": [b"a", b"\xff", b"b"]}))
    with pytest.raises(RefusedError, match="row 1: column 'a': holds a text that is not UTF-8"):
        tensor.values()


def test_outputs_are_bytes_beside_the_message_or_lists_in_it():
    outputs = [
        {
            "name": "p",
            "datatype": "FP64",
            "shape": [2],
            "data": [0.1, 1.0],
            "parameters": {"c": "x"},
        },
        {"name": "l", "datatype": "BYTES", "shape": [2], "data": ["süd", ""]},
    ]
    listed, packed = MESSAGES["ModelInferResponse"](), MESSAGES["ModelInferResponse"]()
    write_tensors(listed, outputs, raw=False)
    write_tensors(packed, outputs, raw=True)
    assert list(listed.outputs[0].contents.fp64_contents) == [0.1, 1.0]
    assert list(listed.outputs[1].contents.bytes_contents) == ["süd".encode(), b""]
    assert not listed.raw_output_contents
    assert not packed.outputs[0].HasField("contents")
    assert list(packed.raw_output_contents) == [
        raw_of("FP64", [0.1, 1.0]),
        raw_of("BYTES", ["süd".encode(), b""]),
    ]
    assert packed.outputs[0].parameters["c"].string_param == "x"


def test_parameters_keep_their_types():
    made = MESSAGES["ModelInferResponse"]()
    put_parameters(made.parameters, {"text": "a", "whole": 2**40, "real": 0.5})
    found = {
        name: getattr(one, one.WhichOneof("parameter_choice"))
        for name, one in made.parameters.items()
    }
    assert found == {"text": "a", "whole": 2**40, "real": 0.5}
