"""What the loop still needs of the prediction log: no retention may take it away."""

from typing import NamedTuple

from setpoint.contract.contract import Contract
from setpoint.facts.state import LoopState


class Need(NamedTuple):
    """Answers that are needed.

    Args:
        since: Tick of the first of them.
        reason: Why, as words that follow "answers are kept: ".
    """

    since: float
    reason: str


def needs(state: LoopState | None, contract: Contract, now: float) -> tuple[Need, ...]:
    """Return what is needed, the oldest first.

    Args:
        state: The state; None before the first pass.
        contract: The contract.
        now: The present tick.
    """
    delay = contract.label_delay.value
    found = [Need(now - delay, f"outcomes may come up to {contract.label_delay} after an answer")]
    if state is None:
        return tuple(found)
    if state.champion:
        found.append(Need(state.watched - delay, "windows that were not looked at yet"))
    release = state.release
    if release is not None and release.strategy != "direct":
        since = min(release.started_at, release.step_at)
        found.append(Need(since, f"the release of version {release.version} is under way"))
    watch = state.watch
    if watch is not None:
        found.append(Need(watch.since, f"version {watch.version} is watched since its promotion"))
    return tuple(sorted(found))


def narrowed(state: LoopState | None, contract: Contract, before: float) -> str:
    """Return what would be measured on fewer answers if those before a tick were gone; empty where nothing would."""
    if state is None or state.promoted_at is None or not contract.primary_metric:
        return ""
    if state.promoted_at >= before:
        return ""
    return (
        f"{contract.primary_metric} of version {state.champion} is measured on its answers since its promotion, "
        "of which the oldest are gone then"
    )
