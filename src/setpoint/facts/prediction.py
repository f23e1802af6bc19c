"""Predictions and outcomes: what was answered, by which version; what turned out to be true, later."""

from typing import Any

import msgspec

_SHADOW = "."  # stands in no prediction id of its own


class Answerer(msgspec.Struct, frozen=True, kw_only=True):
    """Who answers: a version under a deployment document. One object serves all of its answers.

    Args:
        model: Name of the model.
        version: Its version.
        contract: Digest of the contract that requests are checked against.
        generation: Generation of the deployment document in force.
        columns: Names of the inputs, in the order of `Prediction.values`.
        withheld: What was done to columns that the log has not as they were, by name, as `setpoint.facts.log_rule` says
            it; inputs that were dropped are not among `columns`.
    """

    model: str
    version: int
    contract: str
    generation: int
    columns: tuple[str, ...]
    withheld: dict[str, str] = {}


class Prediction(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One answer, as the log keeps it.

    Args:
        by: Who answered.
        id: Prediction id, ordered by time; of a shadow's answer `shadow_id` makes it.
        at: Seconds since 1970-01-01 UTC.
        variant: `champion` or `challenger`; `shadow` for an answer that nobody was given.
        propensity: Share of traffic that this version had, 0 to 1; 0 where the request named it, and for a shadow.
        key: Value of the entity column, as text, where the contract names one.
        request: Request id that the client gave, or empty.
        values: The inputs, in the order of `by.columns`.
        prediction: The answer: a class as text, or a number.
        probability: Probability of the positive class, or of the answered class; None without one.
        latency_s: Seconds from decoded request to answer.
        error: Why there is no answer, or empty.
    """

    by: Answerer
    id: str
    at: float
    variant: str
    propensity: float
    key: str = ""
    request: str = ""
    values: tuple[Any, ...]
    prediction: str | float | None
    probability: float | None = None
    latency_s: float = 0.0
    error: str = ""


def shadow_id(live: str, version: int) -> str:
    """Return the id of a shadow's answer to the row that was answered under the id `live`; it orders like that.

    Example:
        >>> shadow_id("01890a5d-ac96-774b-bcce-b302099a8057", 7)
        '01890a5d-ac96-774b-bcce-b302099a8057.7'
    """
    return f"{live}{_SHADOW}{version}"


def live_id(shadow: str) -> str:
    """Return the id of the live answer to the row that a shadow answered."""
    return shadow.partition(_SHADOW)[0]


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
