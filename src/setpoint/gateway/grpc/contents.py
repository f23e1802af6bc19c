"""Tensors as the protocol's messages hold them: all as bytes beside the message, or each in a list of its own type.

Lists become the bytes that would have been sent, so that one way leads from there to the rows. As with bytes, a NaN is
null, and so is an empty text.
"""

from collections.abc import Mapping, Sequence
from math import prod
from types import MappingProxyType
from typing import Any

import numpy as np

from setpoint.gateway.doors.tensors import Elements, Tensor, as_bytes, numpy_type, require_sound
from setpoint.gateway.wire.refusal import refuse

_NAMED = 60  # characters of a name that a refusal repeats
_SHOWN = 30  # characters of a value
_LISTS: Mapping[str, str] = MappingProxyType(
    {
        "BOOL": "bool_contents",
        **dict.fromkeys(("INT8", "INT16", "INT32"), "int_contents"),
        "INT64": "int64_contents",
        **dict.fromkeys(("UINT8", "UINT16", "UINT32"), "uint_contents"),
        "UINT64": "uint64_contents",
        "FP32": "fp32_contents",
        "FP64": "fp64_contents",
        "BYTES": "bytes_contents",
    }
)
_NARROW = frozenset(("INT8", "INT16", "UINT8", "UINT16"))  # narrower than the list that holds them


def read_tensors(asked: Any) -> list[Elements]:
    """Return the input tensors of a `ModelInferRequest`.

    Raises:
        RefusedError: 400 data are missing, or there are too many; 422 a shape, a datatype or an element cannot be.
    """
    raw = asked.raw_input_contents
    if raw and len(raw) != len(asked.inputs):
        said = f"the request has {len(asked.inputs)} inputs, and raw_input_contents of {len(raw)}"
        raise refuse(400, said)
    found = []
    for place, given in enumerate(asked.inputs):
        tensor = Tensor(
            name=given.name,
            shape=list(given.shape),
            datatype=given.datatype,
            parameters=dict.fromkeys(given.parameters),
        )
        require_sound(tensor)
        if not raw:
            found.append(Elements(tensor, _list_bytes(tensor, given.contents)))
            continue
        if given.HasField("contents"):
            said = "has contents, and the request has raw_input_contents; send one of them"
            raise refuse(400, said, column=given.name[:_NAMED])
        found.append(Elements(tensor, raw[place]))
    return found


def _list_bytes(tensor: Tensor, contents: Any) -> bytes:
    """Return the elements in a tensor's list as bytes."""
    name = tensor.name[:_NAMED]
    wanted = _LISTS.get(tensor.datatype)
    if wanted is None:
        said = f"contents have no list for {tensor.datatype}; send it in raw_input_contents"
        raise refuse(400, said, column=name)
    if others := [field.name for field, _ in contents.ListFields() if field.name != wanted]:
        said = f"has {others[0]}, its datatype {tensor.datatype} belongs in {wanted}"
        raise refuse(400, said, column=name)
    values = list(getattr(contents, wanted))
    if not values:
        raise refuse(400, "has no data", column=name)
    if len(values) != prod(tensor.shape):
        said = f"has shape {tensor.shape}, its data have {len(values)} elements"
        raise refuse(422, said, column=name)
    if tensor.datatype == "BYTES":
        return b"".join(len(text).to_bytes(4, "little") + text for text in values)
    if tensor.datatype in _NARROW:
        _require_narrow(tensor, values)
    return np.array(values, numpy_type(tensor.datatype)).tobytes()


def _require_narrow(tensor: Tensor, values: Sequence[int]) -> None:
    """Refuse numbers that a narrow datatype does not have."""
    bounds = np.iinfo(numpy_type(tensor.datatype))
    for row, value in enumerate(values):
        if not bounds.min <= value <= bounds.max:
            said = f"holds {str(value)[:_SHOWN]}, its datatype is {tensor.datatype}"
            raise refuse(422, said, column=tensor.name[:_NAMED], row=row)


def write_tensors(answer: Any, outputs: Sequence[dict[str, Any]], *, raw: bool) -> None:
    """Add output tensors to a `ModelInferResponse`.

    Args:
        answer: The response.
        outputs: The tensors: name, datatype, shape, data, and parameters where there are any.
        raw: Whether their data go as bytes beside the message.
    """
    for output in outputs:
        datatype, data = output["datatype"], output["data"]
        made = answer.outputs.add(name=output["name"], datatype=datatype, shape=output["shape"])
        put_parameters(made.parameters, output.get("parameters", {}))
        if raw:
            answer.raw_output_contents.append(as_bytes(datatype, data))
        elif datatype == "BYTES":
            made.contents.bytes_contents.extend([text.encode() for text in data])
        else:
            getattr(made.contents, _LISTS[datatype]).extend(data)


def put_parameters(made: Any, said: Mapping[str, str | float]) -> None:
    """Put scalars among a message's parameters."""
    for name, value in said.items():
        if isinstance(value, str):
            made[name].string_param = value
        elif isinstance(value, int):
            made[name].int64_param = value
        else:
            made[name].double_param = value
