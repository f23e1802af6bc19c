"""The section `alerts`: who is told about what."""

from typing import Annotated, Literal

from pydantic import Field

from setpoint.contract.section import Distinct, Section, Text

Occasion = Literal["incident", "approval", "release", "rollback", "retrain", "gate"]


class Alert(Section):
    """One receiver and the occasions on which it is told."""

    to: Text = Field(description="Where to send it; a secret is written as ${NAME}.")
    when: Annotated[tuple[Occasion, ...], Distinct] = Field(
        ("approval", "incident"), description="On which occasions.", min_length=1
    )
