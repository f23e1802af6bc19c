"""The section `alerts`: who is told about what."""

from typing import Literal

from pydantic import Field

from setpoint.contract.section import Section, Text

Occasion = Literal["incident", "approval", "release", "rollback", "retrain", "gate"]


class Alert(Section):
    """One receiver and the occasions on which it is told."""

    to: Text = Field(description="Where to send it; a secret is written as ${NAME}.")
    when: tuple[Occasion, ...] = Field(
        ("incident", "approval"), description="On which occasions.", min_length=1
    )
