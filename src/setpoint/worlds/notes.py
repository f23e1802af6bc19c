"""What people should know when they read the numbers of a replay, where nothing else in its report says it."""

from setpoint.contract.contract import Contract
from setpoint.contract.release import LatencyGuardrail
from setpoint.gates.judge import left_out


def notes_of(contract: Contract) -> tuple[str, ...]:
    """Return what a replay of this contract assumes or leaves out, as sentences."""
    notes = (_unjudged(contract), _gateways(contract), _label_delay(contract))
    return tuple(note for note in notes if note)


def _unjudged(contract: Contract) -> str:
    subjects = [gate.subject for gate in left_out(contract.gates, wall_clock=False)]
    if contract.release.strategy != "direct":
        rails = contract.release.guardrails
        subjects += [rail.subject for rail in rails if isinstance(rail, LatencyGuardrail)]
    if not subjects:
        return ""
    return (
        f"Not judged here: {', '.join(subjects)}. History has no wall clock; "
        "the time to answer is judged before and during a live release."
    )


def _gateways(contract: Contract) -> str:
    """Return what a replay leaves out of a strategy, since no gateway listens to it."""
    match contract.release.strategy:
        case "blue_green":
            return "No gateway listens to a replay: the blue-green switch comes as soon as a version is registered."
        case "shadow":
            return "A replay is never under load: no copy for a shadow is dropped, as it would be where requests wait."
        case _:
            return ""


def _label_delay(contract: Contract) -> str:
    delay = contract.label_delay
    if delay.value == 0:
        return (
            "Every label counts as known once its row is over. Where labels come later, the loop learns later and "
            "the last known label is older: say so by monitor.performance.label_delay, or --label-delay."
        )
    return f"A label counts as known {delay} after its row, so the line no_change repeats one at least that old."
