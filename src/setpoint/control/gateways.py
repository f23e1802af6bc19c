"""What the gateways that live report about production: who they are, and what of it they cannot serve."""

from collections.abc import Sequence

from setpoint.control.world import World
from setpoint.facts.gateway_report import GatewayReport
from setpoint.facts.state import LoopState
from setpoint.facts.verdict import Verdict
from setpoint.release.served import SUBJECT, judge_refused, say_gateways

LIVE_S = 15.0
"""Age beyond which a report does not count: a gateway that lives makes one every five seconds."""

DOCUMENT = "deployment"


def live_reports(world: World) -> tuple[GatewayReport, ...]:
    """Return the reports of the gateways that live; none in a world without gateways.

    Raises:
        DeploymentError: The reports cannot be read.
    """
    now = world.clock.wall()
    return tuple(one for one in world.deployments.reports() if now - one.at <= LIVE_S)


def unserved(state: LoopState, reports: Sequence[GatewayReport]) -> dict[str, Verdict]:
    """Return what of production some gateway cannot serve: `version 3`, or `deployment` for the document itself.

    The challenger of a release is not among them: its release ends. What was refused at the last pass stays so until a
    gateway serves it: gateways that are gone say nothing.
    """
    parts = {state.previous: "which a rollback goes to", state.champion: "the champion"}
    found = {}
    for number, part in parts.items():
        name = f"version {number}"
        verdict = judge_refused(number, reports, part=part)
        if verdict is None and not any(number in one.ready for one in reports):
            verdict = state.unserved.get(name)
        if number and verdict is not None:
            found[name] = verdict
    document = _judge_document(state, reports)
    return found if document is None else {**found, DOCUMENT: document}


def _judge_document(state: LoopState, reports: Sequence[GatewayReport]) -> Verdict | None:
    problems = {
        one.gateway: one.problem
        for one in reports
        if one.problem and one.generation != state.generation
    }
    if not reports:
        return state.unserved.get(DOCUMENT)
    if not problems:
        return None
    who = say_gateways(len(problems), len(reports))
    why = "; ".join(dict.fromkeys(problems.values()))
    return Verdict(
        subject=SUBJECT,
        verdict="error",
        observed=float(len(problems)),
        limit=0.0,
        n=len(reports),
        reason=f"{who} cannot follow generation {state.generation} of it: {why}",
        evidence={"problems": problems},
    )
