"""Whether gateways can serve what they are told to, by their own reports. Pure: the caller knows which of them live.

Rules:
1. A challenger that any gateway refuses goes back: it could never have all traffic. That is an error, and no matter of
   patience.
2. A step counts answers from its own deployment document on, and does not end before every gateway follows that
   document: what is judged must be what all of production does. A blue-green switch waits until every gateway has the
   challenger ready.
3. A champion that no gateway can serve gives way to the version before it, if that one could answer.
"""

from collections.abc import Sequence

import msgspec

from setpoint.facts.gateway_report import GatewayReport
from setpoint.facts.release import Release
from setpoint.facts.verdict import Verdict
from setpoint.release.move import Step

SUBJECT = "served by gateways"


def step_as_served(found: Step, release: Release, reports: Sequence[GatewayReport]) -> Step:
    """Return the step of a release as far as gateways can carry it out.

    Args:
        found: What the rules say by the counts.
        release: Where it stands.
        reports: The reports of the gateways that live.
    """
    refused = judge_refused(release.version, reports)
    if refused is not None:
        return msgspec.structs.replace(
            found,
            action="roll_back",
            verdicts=(refused, *found.verdicts),
            reason=refused.reason,
        )
    behind = [one.gateway for one in reports if one.generation < release.generation]
    if behind and found.action in ("advance", "weigh", "promote"):
        names = ", ".join(behind)
        reason = (
            f"{names} does not follow deployment {release.generation} yet; else: {found.reason}"
        )
        return msgspec.structs.replace(found, action="wait", reason=reason)
    return found


def why_unready(release: Release, reports: Sequence[GatewayReport]) -> str:
    """Return which gateways could not answer with the challenger yet; empty where every one could.

    Args:
        release: Where it stands.
        reports: The reports of the gateways that live; where none does, there is none to wait for.
    """
    behind = [
        one.gateway
        for one in reports
        if one.generation < release.generation or release.version not in one.ready
    ]
    return (
        f"{', '.join(behind)} does not have version {release.version} ready yet" if behind else ""
    )


def judge_refused(
    version: int, reports: Sequence[GatewayReport], *, part: str = ""
) -> Verdict | None:
    """Return the verdict `error` over a version that a gateway refuses; None where none does.

    Args:
        version: The version.
        reports: The reports of the gateways that live.
        part: The part that the version plays, for the reason.
    """
    refused = {
        one.gateway: one.refused[str(version)] for one in reports if str(version) in one.refused
    }
    if not refused:
        return None
    who = say_gateways(len(refused), len(reports))
    why = "; ".join(dict.fromkeys(refused.values()))
    return Verdict(
        subject=SUBJECT,
        verdict="error",
        observed=float(len(refused)),
        limit=0.0,
        n=len(reports),
        reason=f"{who} cannot serve it{part and f', {part}'}: {why}",
        evidence={"refused": refused},
    )


def judge_fallen(champion: int, previous: int, reports: Sequence[GatewayReport]) -> Verdict | None:
    """Return the verdict over a champion that every gateway refuses, while the version before it could answer.

    Args:
        champion: The version that production is on.
        previous: The version that a rollback goes to; 0 where there is none.
        reports: The reports of the gateways that live.

    Returns:
        The verdict `error`, or None where the champion need not, or cannot, give way.
    """
    refused = judge_refused(champion, reports)
    if refused is None or not previous or refused.observed != len(reports):
        return None
    is_able = any(previous in one.ready for one in reports)
    return refused if is_able and judge_refused(previous, reports) is None else None


def say_gateways(some: int, of: int) -> str:
    """Return which gateways are meant: all of them, or some."""
    return "gateways" if some == of else f"{some} of {of} gateways"
