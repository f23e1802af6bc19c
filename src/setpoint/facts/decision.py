"""A decision: what the loop did at one instant, and why, with the numbers."""

from typing import Any, Literal

import msgspec

from setpoint.facts.verdict import Verdict

Action = Literal[
    "wait",  # nothing is due
    "check",  # rows came in and passed their checks; not told to the ledger
    "accept",  # a person accepted a failing check
    "hold",  # a release had its time and was not decided: a person must; the reason says what is missing
    "block",  # a batch of data failed validation and is kept out
    "admit",  # a blocked batch is let in after acceptance
    "retrain",  # a trigger opened an attempt
    "fit",  # the attempt's candidate was fitted and measured
    "judge",  # the gates judged the candidate
    "refuse",  # the candidate failed; its evidence starts no new fit
    "register",  # the candidate became a version
    "release",  # a release of the version began
    "advance",  # the challenger got its next share of traffic, or of copies
    "weigh",  # a bandit's shares of traffic were published anew
    "promote",  # the version is the champion
    "roll_back",  # traffic went back to the earlier champion
    "alert",  # a signal breached the contract
    "adopt",  # an alias moved by hand was taken over
    "put_back",  # an alias moved by hand was put back
    "renew",  # the deployment document was made anew: the contract has gateways log otherwise
]


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """One decision.

    Args:
        id: Names the decision, for `explain`.
        at: Tick on the loop's axis.
        action: What was done.
        reason: One sentence for people.
        version: The version it concerns, if any.
        attempt: The attempt it concerns, if any.
        verdicts: The judgements behind it.
        numbers: Further plain numbers.
        recorded: When it was written down, in seconds since 1970-01-01 UTC; None in a replay, which has no such time.
    """

    id: str
    at: float
    action: Action
    reason: str
    version: int | None = None
    attempt: str = ""
    verdicts: tuple[Verdict, ...] = ()
    numbers: dict[str, Any] = {}
    recorded: float | None = None
