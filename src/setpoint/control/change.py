"""A change of state with the decision behind it: what one step commits, and how."""

from typing import Any

import msgspec

from setpoint.control.world import World
from setpoint.facts.decision import Action, Decision
from setpoint.facts.ledger import Event
from setpoint.facts.state import LoopState

EVENTS: dict[Action, str] = {
    "accept": "check_accepted",
    "hold": "held",
    "block": "data_blocked",
    "admit": "data_admitted",
    "retrain": "retrain_started",
    "fit": "candidate_fitted",
    "judge": "candidate_judged",
    "refuse": "candidate_refused",
    "register": "version_registered",
    "release": "release_started",
    "advance": "step_passed",
    "weigh": "weights_published",
    "promote": "promoted",
    "roll_back": "rolled_back",
    "alert": "signal_breached",
    "adopt": "version_adopted",
    "put_back": "alias_put_back",
    "renew": "document_renewed",
}
"""What the ledger calls each action once it happened. Waiting is no event."""


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """What one step changes.

    Args:
        state: The state from now on.
        decision: What was decided, and why.
    """

    state: LoopState
    decision: Decision

    @property
    def events(self) -> tuple[Event, ...]:
        """What the ledger is told."""
        kind = EVENTS.get(self.decision.action)
        if kind is None:
            return ()
        body = msgspec.to_builtins(self.decision)
        if self.decision.recorded is None:
            del body["recorded"]
        return (Event(kind=kind, at=self.decision.at, body=body),)


def change(state: LoopState, action: Action, reason: str, *, at: float, **facts: Any) -> Change:
    """Return a change whose decision carries the next number.

    Args:
        state: The state from now on; its counter of decisions is raised here.
        action: What is done.
        reason: One sentence for people.
        at: The present tick.
        **facts: `version`, `attempt`, `verdicts`, `numbers` of the decision.
    """
    number = state.decisions + 1
    decision = Decision(id=f"d-{number}", at=at, action=action, reason=reason, **facts)
    return Change(state=msgspec.structs.replace(state, decisions=number, now=at), decision=decision)


def commit(world: World, revision: int, changed: Change) -> Decision:
    """Write down what one step changes, and return its decision as the ledger has it.

    Where seconds mean something, the decision says when it was written down: on the axis `rows`, ticks do not tell.

    Args:
        world: The ports.
        revision: Revision that the state was read at.
        changed: What changes.

    Raises:
        StaleStateError: Somebody else committed since; nothing was written.
        JournalError: The store cannot be written; nothing was written.
    """
    decision = changed.decision
    if world.wall_clock:
        decision = msgspec.structs.replace(decision, recorded=world.clock.wall())
    told = Change(state=changed.state, decision=decision)
    world.journal.commit(revision, told.state, told.events)
    return decision
