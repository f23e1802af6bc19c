"""The messages are those of the published protocol, field by field, and in nobody's way."""

import subprocess
import sys

import pytest
from google.protobuf import descriptor_pool
from tritonclient.grpc import model_config_pb2, service_pb2

from setpoint.gateway.grpc.calls import CALLS
from setpoint.gateway.grpc.messages import MESSAGES, PACKAGE, SERVICE

CUT = {"ModelConfig", "ModelInput", "ModelOutput"}  # a gateway says only some of their fields
NAMES = [name for name in MESSAGES if not name.startswith("HealthCheck")]


def fields(descriptor):
    return {
        field.name: (
            field.number,
            field.type,
            field.is_repeated,
            field.containing_oneof and field.containing_oneof.name,
            field.message_type and field.message_type.full_name,
            field.enum_type and field.enum_type.full_name,
        )
        for field in descriptor.fields
    }


def published(name):
    """Return the descriptor that Triton's client was compiled from."""
    for module in (service_pb2, model_config_pb2):
        first, *rest = name.split(".")
        if found := module.DESCRIPTOR.message_types_by_name.get(first):
            for inner in rest:
                found = found.nested_types_by_name[inner]
            return found
    raise AssertionError(name)


@pytest.mark.parametrize("name", NAMES)
def test_message_has_the_published_fields(name):
    ours, theirs = fields(MESSAGES[name].DESCRIPTOR), fields(published(name))
    assert MESSAGES[name].DESCRIPTOR.full_name == published(name).full_name
    if name in CUT:
        assert ours.items() <= theirs.items()
    else:
        assert ours == theirs


def test_data_types_have_the_published_numbers():
    ours = MESSAGES["ModelInput"].DESCRIPTOR.fields_by_name["data_type"].enum_type
    theirs = model_config_pb2.DESCRIPTOR.enum_types_by_name["DataType"]
    numbers = {one.name: one.number for one in theirs.values}
    assert {one.name: one.number for one in ours.values}.items() <= numbers.items()


def test_every_call_but_those_of_health_is_published_with_these_messages():
    service = service_pb2.DESCRIPTOR.services_by_name[SERVICE]
    assert service.full_name == f"{PACKAGE}.{SERVICE}"
    for path in CALLS:
        _, of, name = path.split("/")
        if of == service.full_name:
            method = service.methods_by_name[name]
            assert method.input_type.full_name == MESSAGES[f"{name}Request"].DESCRIPTOR.full_name
            assert method.output_type.full_name == MESSAGES[f"{name}Response"].DESCRIPTOR.full_name


def test_bytes_of_a_message_read_the_same_on_both_sides():
    given = {
        "model_name": "süd",
        "id": "1",
        "parameters": {"a": {"double_param": 0.5}, "b": {"uint64_param": 2**64 - 1}},
        "inputs": [
            {
                "name": "x",
                "shape": [1, 2],
                "datatype": "FP32",
                "contents": {"fp32_contents": [1, 2]},
            }
        ],
        "outputs": [{"name": "label", "parameters": {"c": {"bool_param": True}}}],
        "raw_input_contents": [b"\0\xff"],
    }
    ours = MESSAGES["ModelInferRequest"](**given)
    theirs = service_pb2.ModelInferRequest(**given)
    assert ours == MESSAGES["ModelInferRequest"].FromString(theirs.SerializeToString())
    assert theirs == service_pb2.ModelInferRequest.FromString(ours.SerializeToString())


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_a_program_may_hold_a_client_and_a_gateway(order):
    both = ("import setpoint.gateway.grpc.messages", "import tritonclient.grpc")
    done = subprocess.run(
        [sys.executable, "-c", "; ".join(both[place] for place in order)],
        capture_output=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, b"")


def test_the_common_pool_is_left_alone():
    ours = MESSAGES["ModelInferRequest"].DESCRIPTOR.file.pool
    assert ours is not descriptor_pool.Default()
    assert ours is not service_pb2.DESCRIPTOR.pool
