"""The section `model`: what the model is, who owns it and what it is for."""

from typing import Literal

from pydantic import Field

from setpoint.contract.metrics import Task
from setpoint.contract.section import Name, Section, Text

Risk = Literal["low", "medium", "high"]


class Model(Section):
    """What the model is, who owns it and what it is for."""

    name: Name = Field(description="Name of the registered model; letters, digits, _ . and -.")
    version: Text | None = Field(
        None,
        description="Version of the contract, for people, in quotes; machines use its digest.",
    )
    task: Task | None = Field(
        None, description="What is predicted: binary, multiclass or regression."
    )
    owner: Text | None = Field(None, description="Who answers for the model.")
    intended_use: Text | None = Field(None, description="What the model is for.")
    limitations: Text | None = Field(None, description="What the model is not for.")
    risk: Risk | None = Field(
        None, description="How much harm it can do; see release.approvals for what follows."
    )
