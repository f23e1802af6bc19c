"""Tensors of the Open Inference Protocol as plain values, and back: in JSON, or as bytes behind it.

The binary form is the protocol's binary tensor data extension: little-endian, row-major, without padding; a truth value
is one byte, a text its length in four bytes and then its UTF-8. A NaN among binary numbers is null: numbers as bytes
have no other way to say that a value is missing.
"""

from collections.abc import Sequence
from math import prod
from typing import Annotated, Any

import msgspec
import numpy as np

from setpoint.gateway.wire.refusal import refuse

_UNDECODED = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
_LENGTH = 4  # bytes of a text's length
_INT64 = 2**63 - 1
_NAMED = 60  # characters of a name that a refusal repeats
_FAR = ("shared_memory_region", "shared_memory_byte_size", "shared_memory_offset")


_NOTHING = msgspec.Raw()


class Tensor(msgspec.Struct, frozen=True, gc=False):
    """One input tensor; its data stay undecoded.

    Args:
        name: Its name.
        shape: Its shape.
        datatype: Type of its elements.
        data: The JSON of its elements, flat or nested; empty where they are not there.
        parameters: `binary_data_size` where the elements are among the bytes behind the JSON.
    """

    name: str
    shape: list[int]
    datatype: str
    data: msgspec.Raw = _NOTHING
    parameters: dict[str, Any] | None = None


class Elements(msgspec.Struct, frozen=True, gc=False):
    """A sound tensor with its elements.

    Args:
        tensor: What the request says of it.
        binary: Its bytes; None where its elements are JSON.
    """

    tensor: Tensor
    binary: bytes | None = None

    @property
    def name(self) -> str:
        """Its name, as refusals repeat it."""
        return self.tensor.name[:_NAMED]

    def values(self) -> list[Any]:
        """Return the elements as plain values, row-major.

        Raises:
            RefusedError: 422; they do not fill the shape, or are not of the datatype.
        """
        if self.binary is not None:
            return self._from_bytes(self.binary)
        try:
            values = _TYPES[self.tensor.datatype].flat(self.tensor.data)
        except _UNDECODED:
            values = self._explained()
        if len(values) != prod(self.tensor.shape):
            raise self._unlike(f"its data have {len(values)} elements")
        return values

    def numbers(self) -> msgspec.Raw | list[list[Any]] | None:
        """Return the rows of a matrix of floats for a decoder of numbers: JSON, or lists; None for the slow way."""
        rows, width = self.tensor.shape
        if self.binary is not None:
            found = self._array(self.binary).astype(np.float64).reshape(rows, width)
            return None if np.isnan(found).any() else found.tolist()
        data = bytes(self.tensor.data)
        if data[:1] == b"[" and data[1:].lstrip()[:1] == b"[":
            return self.tensor.data
        if rows == 1:
            return msgspec.Raw(b"[" + data + b"]")
        values = self.values()
        return [values[start : start + width] for start in range(0, rows * width, width)]

    def _from_bytes(self, binary: bytes) -> list[Any]:
        if self.tensor.datatype == "BYTES":
            return self._texts(binary)
        found = self._array(binary)
        values: list[Any] = found.tolist()
        if found.dtype.kind == "f" and np.isnan(found).any():
            return [None if value != value else value for value in values]  # noqa: PLR0124 (NaN is not itself)
        if self.tensor.datatype == "BOOL":
            if any(value > 1 for value in values):
                raise refuse(422, "holds a byte that is neither 0 nor 1", column=self.name)
            return list(map(bool, values))
        return values

    def _array(self, binary: bytes) -> Any:
        """Return the elements of a tensor of numbers or truth values, shape (elements,)."""
        kind = np.dtype(_TYPES[self.tensor.datatype].binary)
        if len(binary) != prod(self.tensor.shape) * kind.itemsize:
            raise self._unlike(f"its data have {len(binary)} bytes of {kind.itemsize} an element")
        return np.frombuffer(binary, kind)

    def _texts(self, binary: bytes) -> list[str]:
        values: list[str] = []
        start = 0
        try:
            while start < len(binary):
                end = start + _LENGTH + int.from_bytes(binary[start : start + _LENGTH], "little")
                if end > len(binary):
                    raise self._unlike("its data end within a text")
                values.append(binary[start + _LENGTH : end].decode())
                start = end
        except UnicodeDecodeError as error:
            row = len(values)
            raise refuse(
                422, "holds a text that is not UTF-8", column=self.name, row=row
            ) from error
        if len(values) != prod(self.tensor.shape):
            raise self._unlike(f"its data have {len(values)} texts")
        return values

    def _explained(self) -> list[Any]:
        """Return the elements of data that are nested or not plain, or say what is wrong with them."""
        tensor = self.tensor
        try:
            data = msgspec.json.decode(tensor.data)
        except _UNDECODED as error:
            raise refuse(400, f"data cannot be read: {error}"[:200], column=self.name) from error
        if not isinstance(data, list):
            raise refuse(400, "data is no list", column=self.name)
        if data and isinstance(data[0], list):
            if len(data) != tensor.shape[0] or not all(isinstance(row, list) for row in data):
                raise self._unlike(f"its data have {len(data)} elements")
            data = [value for row in data for value in row]
        kind = _TYPES[tensor.datatype]
        for row, value in enumerate(data):
            if value is None:
                continue
            if type(value) not in kind.python:
                said = f"holds a {type(value).__name__}, its datatype is {tensor.datatype}"
                raise refuse(422, said, column=self.name, row=row)
            if kind.low is not None and not kind.low <= value <= kind.high:
                said = f"holds {str(value)[:_NAMED]}, its datatype is {tensor.datatype}"
                raise refuse(422, said, column=self.name, row=row)
        return data

    def _unlike(self, found: str) -> Exception:
        """Return the refusal of data that do not fill their shape."""
        return refuse(422, f"has shape {self.tensor.shape}, {found}", column=self.name)


class _Type:
    """A datatype: what its elements are in Python, in JSON, and as bytes."""

    def __init__(
        self, python: frozenset[type], binary: str, json: Any, low: Any = None, high: Any = None
    ) -> None:
        self.python = python
        self.binary = binary
        self.low = low
        self.high = high
        self.flat = msgspec.json.Decoder(list[json | None]).decode


def _whole(bits: int, *, signed: bool) -> _Type:
    low = -(2 ** (bits - 1)) if signed else 0
    high = 2 ** (bits - 1) - 1 if signed else 2**bits - 1
    bounds = msgspec.Meta(ge=low, le=min(high, _INT64))  # larger ones are taken the slow way
    name = f"<{'i' if signed else 'u'}{bits // 8}"
    return _Type(frozenset({int}), name, Annotated[int, bounds], low, high)


_REAL = frozenset({int, float})
_TYPES: dict[str, _Type] = {
    "BOOL": _Type(frozenset({bool}), "u1", bool),
    **{f"INT{bits}": _whole(bits, signed=True) for bits in (8, 16, 32, 64)},
    **{f"UINT{bits}": _whole(bits, signed=False) for bits in (8, 16, 32, 64)},
    **{f"FP{bits}": _Type(_REAL, f"<f{bits // 8}", int | float) for bits in (16, 32, 64)},
    "BYTES": _Type(frozenset({str}), "", str),
}
FLOATS = frozenset({"FP16", "FP32", "FP64"})


def sound_tensors(tensors: Sequence[Tensor], behind: bytes | None) -> list[Elements]:
    """Return tensors with their elements, each as far as it can be judged alone.

    Args:
        tensors: The tensors of a request.
        behind: What follows the request's JSON; None where no header says that anything does.

    Raises:
        RefusedError: 400 bytes are missing or left over; 422 a shape or a datatype cannot be.
    """
    found = []
    start = 0
    for tensor in tensors:
        require_sound(tensor)
        if (tensor.parameters is None and tensor.data is not _NOTHING) or (
            size := _binary_size(tensor)
        ) is None:
            found.append(Elements(tensor))
            continue
        if behind is None:
            said = "has binary data, but no header Inference-Header-Content-Length says where they begin"
            raise refuse(400, said, column=tensor.name[:_NAMED])
        if start + size > len(behind):
            said = f"has {size} bytes, {len(behind) - start} are left behind the JSON"
            raise refuse(400, said, column=tensor.name[:_NAMED])
        found.append(Elements(tensor, behind[start : start + size]))
        start += size
    if behind is not None and start < len(behind):
        raise refuse(400, f"{len(behind) - start} bytes behind the JSON belong to no tensor")
    return found


def numpy_type(datatype: str) -> "np.dtype[Any]":
    """Return how NumPy has the elements of a tensor of numbers or truth values."""
    return np.dtype(_TYPES[datatype].binary)


def as_bytes(datatype: str, data: Sequence[Any]) -> bytes:
    """Return the elements of an output tensor as bytes."""
    if datatype != "BYTES":
        return np.array(data, _TYPES[datatype].binary).tobytes()
    texts = [text.encode() for text in data]
    return b"".join(len(text).to_bytes(_LENGTH, "little") + text for text in texts)


def require_sound(tensor: Tensor) -> None:
    """Refuse a tensor whose shape, datatype or place cannot be.

    Raises:
        RefusedError: 400 it lies in shared memory; 422 its shape or datatype cannot be.
    """
    name = tensor.name[:_NAMED]
    if tensor.datatype not in _TYPES:
        allowed = ", ".join(_TYPES)
        raise refuse(422, f"datatype {tensor.datatype[:20]!r} is not one of {allowed}", column=name)
    if len(tensor.shape) not in (1, 2) or min(tensor.shape) < 1:
        said = f"has shape {tensor.shape[:5]}, needs [rows] or [rows, columns]"
        raise refuse(422, said, column=name)
    if tensor.parameters:
        require_near(tensor.parameters, name)


def require_near(parameters: dict[str, Any], name: str) -> None:
    """Refuse a tensor that lies in shared memory.

    Raises:
        RefusedError: 400.
    """
    if any(parameter in parameters for parameter in _FAR):
        said = "lies in shared memory, which this server does not read; send the data"
        raise refuse(400, said, column=name[:_NAMED])


def _binary_size(tensor: Tensor) -> int | None:
    """Return how many bytes behind the JSON are the tensor's; None where its data are JSON."""
    size = (tensor.parameters or {}).get("binary_data_size")
    name = tensor.name[:_NAMED]
    if size is None:
        if not bytes(tensor.data):
            raise refuse(400, "has no data", column=name)
        return None
    if type(size) is not int or size < 0:
        raise refuse(400, f"binary_data_size is {str(size)[:_NAMED]!r}, no size", column=name)
    if bytes(tensor.data):
        raise refuse(400, "has both data and binary_data_size", column=name)
    return size
