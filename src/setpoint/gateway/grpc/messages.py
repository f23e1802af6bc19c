"""The protocol's messages, made from a table: their fields' names, numbers and types are what goes over the wire.

Descriptors live in a pool of their own. Clients of the protocol bring descriptors of the same names, and a program that
is client and server at once would find two in the common one.

`ModelConfig` and its inputs and outputs are cut down to what a gateway says; to a client its other fields are unset.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

PACKAGE = "inference"
SERVICE = "GRPCInferenceService"
HEALTH_PACKAGE = "grpc.health.v1"
HEALTH_SERVICE = "Health"

_Table = Mapping[str, str]
"""Fields of each message, as `[repeated] type name number`; `parameters` is a map, `oneof` one of several."""

_INFERENCE: _Table = {
    "ServerLiveRequest": "",
    "ServerLiveResponse": "bool live 1",
    "ServerReadyRequest": "",
    "ServerReadyResponse": "bool ready 1",
    "ModelReadyRequest": "string name 1, string version 2",
    "ModelReadyResponse": "bool ready 1",
    "ServerMetadataRequest": "",
    "ServerMetadataResponse": "string name 1, string version 2, repeated string extensions 3",
    "ModelMetadataRequest": "string name 1, string version 2",
    "ModelMetadataResponse": """
        string name 1, repeated string versions 2, string platform 3, repeated .TensorMetadata inputs 4,
        repeated .TensorMetadata outputs 5
    """,
    "ModelMetadataResponse.TensorMetadata": "string name 1, string datatype 2, repeated int64 shape 3",
    "ModelInferRequest": """
        string model_name 1, string model_version 2, string id 3, map parameters 4, repeated .InferInputTensor inputs 5,
        repeated .InferRequestedOutputTensor outputs 6, repeated bytes raw_input_contents 7
    """,
    "ModelInferRequest.InferInputTensor": """
        string name 1, string datatype 2, repeated int64 shape 3, map parameters 4, InferTensorContents contents 5
    """,
    "ModelInferRequest.InferRequestedOutputTensor": "string name 1, map parameters 2",
    "ModelInferResponse": """
        string model_name 1, string model_version 2, string id 3, map parameters 4,
        repeated .InferOutputTensor outputs 5, repeated bytes raw_output_contents 6
    """,
    "ModelInferResponse.InferOutputTensor": """
        string name 1, string datatype 2, repeated int64 shape 3, map parameters 4, InferTensorContents contents 5
    """,
    "InferParameter": """
        oneof bool bool_param 1, oneof int64 int64_param 2, oneof string string_param 3, oneof double double_param 4,
        oneof uint64 uint64_param 5
    """,
    "InferTensorContents": """
        repeated bool bool_contents 1, repeated int32 int_contents 2, repeated int64 int64_contents 3,
        repeated uint32 uint_contents 4, repeated uint64 uint64_contents 5, repeated float fp32_contents 6,
        repeated double fp64_contents 7, repeated bytes bytes_contents 8
    """,
    "ModelConfigRequest": "string name 1, string version 2",
    "ModelConfigResponse": "ModelConfig config 1",
    "ModelConfig": """
        string name 1, string platform 2, int32 max_batch_size 4, repeated ModelInput input 5,
        repeated ModelOutput output 6, string backend 17
    """,
    "ModelInput": "string name 1, DataType data_type 2, repeated int64 dims 4",
    "ModelOutput": "string name 1, DataType data_type 2, repeated int64 dims 3",
    "RepositoryIndexRequest": "string repository_name 1, bool ready 2",
    "RepositoryIndexResponse": "repeated .ModelIndex models 1",
    "RepositoryIndexResponse.ModelIndex": "string name 1, string version 2, string state 3, string reason 4",
}
_INFERENCE_ENUMS: _Table = {
    "DataType": """
        TYPE_INVALID TYPE_BOOL TYPE_UINT8 TYPE_UINT16 TYPE_UINT32 TYPE_UINT64 TYPE_INT8 TYPE_INT16 TYPE_INT32 TYPE_INT64
        TYPE_FP16 TYPE_FP32 TYPE_FP64 TYPE_STRING
    """,
}
_HEALTH: _Table = {
    "HealthCheckRequest": "string service 1",
    "HealthCheckResponse": "ServingStatus status 1",
}
_HEALTH_ENUMS: _Table = {"ServingStatus": "UNKNOWN SERVING NOT_SERVING SERVICE_UNKNOWN"}

_Field = descriptor_pb2.FieldDescriptorProto
_SCALARS: Mapping[str, int] = {
    "bool": _Field.TYPE_BOOL,
    "bytes": _Field.TYPE_BYTES,
    "double": _Field.TYPE_DOUBLE,
    "float": _Field.TYPE_FLOAT,
    "int32": _Field.TYPE_INT32,
    "int64": _Field.TYPE_INT64,
    "string": _Field.TYPE_STRING,
    "uint32": _Field.TYPE_UINT32,
    "uint64": _Field.TYPE_UINT64,
}
_PARAMETER = "InferParameter"
_ONEOF = "parameter_choice"
_ENTRY = "ParametersEntry"


class _File:
    """One file of messages, as its compiler would describe it.

    Args:
        package: The messages' package.
        table: The messages.
        enums: The enumerations; values count from 0.
    """

    def __init__(self, package: str, table: _Table, enums: _Table) -> None:
        self._package = package
        self._enums = enums
        self.made = descriptor_pb2.FileDescriptorProto(
            name=f"setpoint/{package}.proto", package=package, syntax="proto3"
        )
        for name, text in enums.items():
            enum = self.made.enum_type.add(name=name)
            for number, value in enumerate(text.split()):
                enum.value.add(name=value, number=number)
        for name, text in table.items():
            self._add_message(name, text)

    def _add_message(self, name: str, text: str) -> None:
        outer, _, inner = name.partition(".")
        if inner:  # the outer one stands before it in the table
            around = next(found for found in self.made.message_type if found.name == outer)
            message = around.nested_type.add(name=inner)
        else:
            message = self.made.message_type.add(name=name)
        for field in filter(None, map(str.split, text.split(","))):
            self._add_field(message, name, field)

    def _add_field(self, message: Any, full: str, words: list[str]) -> None:
        *label, kind, name, number = words
        if "map" in (*label, kind):
            self._add_map(message, full, name, int(number))
            return
        field = message.field.add(name=name, number=int(number), label=_Field.LABEL_OPTIONAL)
        if label == ["repeated"]:
            field.label = _Field.LABEL_REPEATED
        elif label == ["oneof"]:
            if not message.oneof_decl:
                message.oneof_decl.add(name=_ONEOF)
            field.oneof_index = 0
        if kind in _SCALARS:
            field.type = _SCALARS[kind]
            return
        field.type = _Field.TYPE_ENUM if kind in self._enums else _Field.TYPE_MESSAGE
        field.type_name = f".{self._package}.{full + kind if kind.startswith('.') else kind}"

    def _add_map(self, message: Any, full: str, name: str, number: int) -> None:
        """Add a map from text to parameter: over the wire, a list of pairs."""
        pair = message.nested_type.add(name=_ENTRY)
        pair.options.map_entry = True
        self._add_field(pair, f"{full}.{_ENTRY}", ["string", "key", "1"])
        self._add_field(pair, f"{full}.{_ENTRY}", [_PARAMETER, "value", "2"])
        self._add_field(message, full, ["repeated", f".{_ENTRY}", name, str(number)])


def _made() -> dict[str, Any]:
    """Return the class of each message, by its name within its package."""
    pool = descriptor_pool.DescriptorPool()
    found = {}
    for package, table, enums in (
        (PACKAGE, _INFERENCE, _INFERENCE_ENUMS),
        (HEALTH_PACKAGE, _HEALTH, _HEALTH_ENUMS),
    ):
        pool.AddSerializedFile(_File(package, table, enums).made.SerializeToString())
        for name in table:
            descriptor = pool.FindMessageTypeByName(f"{package}.{name}")
            found[name] = message_factory.GetMessageClass(descriptor)
    return found


MESSAGES: Mapping[str, Any] = MappingProxyType(_made())
"""The class of each message, by its name within its package."""
