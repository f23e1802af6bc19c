"""Whether a judgement of the gates was worth it, told by the interval of what followed."""

from typing import Final

from setpoint.facts.replay import GateCost

WORTH: Final = ("worth it", "not told apart", "cost something")
"""What can be said of a judgement."""


def worth_interval(cost: GateCost) -> tuple[float, float] | None:
    """Return the interval of what the judgement was worth: that of the gain, turned round for a refusal."""
    if cost.interval is None:
        return None
    low, high = cost.interval
    return (low, high) if cost.action == "promote" else (-high, -low)


def told(cost: GateCost) -> str:
    """Return `worth it`, `cost something`, or `not told apart` where the interval holds 0 or there is none.

    Raises:
        ValueError: The worth is not known.
    """
    if cost.worth is None:
        raise ValueError("a judgement of unknown worth cannot be told apart")
    low, high = worth_interval(cost) or (-1.0, 1.0)
    return WORTH[0] if low > 0 else WORTH[2] if high < 0 else WORTH[1]
