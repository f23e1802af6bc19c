"""What is asked of a model registry for one attempt, and what it answers."""

import msgspec

from setpoint.facts.training import TrainingResult
from setpoint.facts.verdict import Ruling, Verdict
from setpoint.facts.version import Lineage


class Registration(msgspec.Struct, frozen=True, kw_only=True):
    """One attempt to log.

    Args:
        model: Name of the registered model.
        attempt: Names the attempt; becomes a tag, so that it is found again.
        register: Whether to make a version (gates passed), or only a run (refused).
        ruling: What the gates said together.
        verdicts: What each gate said.
        result: What training measured.
        params: Parameters of the recipe, as text.
        lineage: Where the candidate came from.
        contract_text: The contract, in canonical form.
    """

    model: str
    attempt: str
    register: bool
    ruling: Ruling
    verdicts: tuple[Verdict, ...]
    result: TrainingResult
    params: dict[str, str]
    lineage: Lineage
    contract_text: str


class Registered(msgspec.Struct, frozen=True, kw_only=True):
    """Where an attempt stands in the registry: run id, and the version's number where there is one."""

    run: str
    version: int | None
    uri: str = ""
