"""What a gateway answers."""

from collections.abc import Sequence
from typing import Any

import msgspec


class Answer(msgspec.Struct, frozen=True, kw_only=True, rename={"version": "model_version"}):
    """What one row was answered.

    Args:
        prediction: A number where classes are numbers or the task is a regression; of a binary task whose classes are
            words 1 for the positive class and 0 for the other; else the class.
        label: The class; None for a regression.
        probability: Probability of the positive class, or of the answered one; None where the model has none.
        prediction_id: Names the answer in the log, and when its outcome is told.
        version: Version that answered.
        variant: `champion` or `challenger`.
        contract: Digest of the contract that the row was checked against.
        generation: Generation of the deployment document in force.
    """

    prediction: str | int | float
    label: str | int | float | None = None
    probability: float | None = None
    prediction_id: str
    version: str
    variant: str
    contract: str
    generation: int


class Answers(msgspec.Struct, frozen=True, kw_only=True):
    """What the rows of one request were answered, as it comes over the wire."""

    prediction: Sequence[str | int | float]
    label: Sequence[str | int | float] | None = None
    probability: Sequence[float | None] | None = None
    prediction_ids: Sequence[str]
    model_version: str
    variant: str
    contract: str
    generation: int

    def rows(self) -> list[Answer]:
        """Return an answer for each row."""
        count = len(self.prediction_ids)
        nothing: Sequence[Any] = (None,) * count
        return [
            Answer(
                prediction=prediction,
                label=label,
                probability=probability,
                prediction_id=name,
                version=self.model_version,
                variant=self.variant,
                contract=self.contract,
                generation=self.generation,
            )
            for prediction, label, probability, name in zip(
                self.prediction,
                self.label or nothing,
                self.probability or nothing,
                self.prediction_ids,
                strict=True,
            )
        ]


class Recorded(msgspec.Struct, frozen=True, kw_only=True):
    """What became of outcomes.

    Args:
        recorded: Outcomes that were new.
        known: Outcomes that the log had already, with the same value.
    """

    recorded: int
    known: int


class Readiness(msgspec.Struct, frozen=True, kw_only=True):
    """Whether a gateway shall get traffic; true in a condition where it shall.

    Args:
        ready: Whether it shall.
        reasons: Why not.
        warnings: What is not in order all the same.
        generation: Generation of the deployment document in force; 0 before the first.
        versions: Versions that can answer.
        weights: Share of traffic by version.
    """

    ready: bool
    reasons: list[str] = []
    warnings: list[str] = []
    generation: int = 0
    versions: list[str] = []
    weights: dict[str, float] = {}

    def __bool__(self) -> bool:
        return self.ready


class Tensor(msgspec.Struct, frozen=True, kw_only=True):
    """One input or output of a model, in the words of the Open Inference Protocol.

    Args:
        name: Its name.
        datatype: `INT64`, `FP64`, `BOOL` or `BYTES`.
        shape: Its shape; -1 for any number of rows.
        parameters: What the contract says of an input: `kind`, `nullable`, `min`, `max`, and `values` as JSON.
    """

    name: str
    datatype: str
    shape: list[int]
    parameters: dict[str, str | int | float | bool] = {}


class Metadata(msgspec.Struct, frozen=True, kw_only=True):
    """What a gateway serves.

    Args:
        name: Name of the model.
        versions: Versions that can answer.
        platform: What runs it.
        inputs: Its features.
        outputs: What it answers through the Open Inference Protocol.
        parameters: Version, contract and artifact of the champion, and the contract's `key`.
    """

    name: str
    versions: list[str] = []
    platform: str = ""
    inputs: list[Tensor]
    outputs: list[Tensor] = []
    parameters: dict[str, str | int | float | bool] = {}
