"""The section `serve`: how a version answers."""

from typing import Annotated, Literal

from pydantic import Field

from setpoint.contract.section import Section, Whole
from setpoint.contract.sizes import Cores, Size


class Resources(Section):
    """What one replica may take."""

    cpu: Cores | None = Field(None, description="Cores, such as 1 or 500m.")
    memory: Size | None = Field(None, description="Memory, such as 2GB or 2Gi.")


class Serve(Section):
    """How a version answers."""

    runtime: Literal["auto", "onnx", "native", "pyfunc"] = Field(
        "auto", description="auto: ONNX where it matches the native model, else native."
    )
    log: Literal["durable", "buffered"] = Field(
        "durable", description="durable: no answer leaves before it is on disk."
    )
    replicas: Annotated[Whole, Field(ge=1, le=10_000)] = Field(1, description="How many gateways.")
    resources: Resources = Field(Resources(), description="What one replica may take.")
