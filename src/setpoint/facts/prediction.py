"""Predictions and outcomes: what was answered, by which version; what turned out to be true, later."""

from typing import Any

import msgspec


class Prediction(msgspec.Struct, frozen=True, kw_only=True):
    """One answer of a gateway, as the log keeps it.

    Args:
        id: Prediction id, ordered by time.
        at: Seconds since 1970-01-01 UTC.
        model: Name of the model.
        version: Version that answered.
        contract: Digest of the contract that the request was checked against.
        generation: Generation of the deployment document in force.
        variant: `champion` or `challenger`.
        propensity: Share of traffic that this version had, 0 to 1.
        key: Value of the entity column, as text, where the contract names one.
        request: Request id that the client gave, or empty.
        features: The inputs by column.
        prediction: The answer: a class as text, or a number.
        probability: Probability of the positive class, or of the answered class; None without one.
        latency_s: Seconds from decoded request to answer.
        error: Why there is no answer, or empty.
    """

    id: str
    at: float
    model: str
    version: int
    contract: str
    generation: int
    variant: str
    propensity: float
    key: str = ""
    request: str = ""
    features: dict[str, Any]
    prediction: str | float | None
    probability: float | None = None
    latency_s: float = 0.0
    error: str = ""


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What turned out to be true of one prediction.

    Args:
        prediction: Prediction id.
        value: The truth: a class as text, or a number.
        at: When it was received, in seconds since 1970-01-01 UTC.
    """

    prediction: str
    value: str | float
    at: float
