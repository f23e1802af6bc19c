"""`setpoint status`: where a model stands."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.console import Console

    from setpoint.control.queries import Status, TriggerStatus
    from setpoint.facts.state import LoopState


def status(
    contract: Annotated[Path, typer.Option(help="The contract.")] = Path("model_contract.yaml"),
    env: Annotated[str, typer.Option(help="Overlay configs/NAME.yaml.")] = "",
    json: Annotated[bool, typer.Option("--json", help="Print the status as JSON.")] = False,
) -> None:
    """Show champion, release, attempt, rows kept out, triggers, breaches and the last decisions."""
    from setpoint.cli.failure import refusals
    from setpoint.control.queries import require_state
    from setpoint.control.queries import status as ask
    from setpoint.wiring.offline import open_offline

    with refusals(json=json):
        offline = open_offline(contract, env=env)
        found = ask(offline.journal, offline.contract)
        state = require_state(offline.journal)
    if json:
        import msgspec

        print(msgspec.json.format(msgspec.json.encode(found)).decode())
    else:
        _print(found, state)


def _print(found: "Status", state: "LoopState") -> None:
    from rich.console import Console

    from setpoint.reports.terminal import decision_table, status_table

    out = Console(highlight=False)
    out.print(status_table(state, found.axis, promoted=found.promoted))
    for blocked in found.blocked:
        out.print(
            f"rows {blocked.start:,} to {blocked.end:,}: {blocked.hint}",
            markup=False,
            soft_wrap=True,
        )
    for trigger in found.triggers:
        if trigger.windows or trigger.firing:
            out.print(
                f"trigger {trigger.trigger}: {_say(trigger, found)}", markup=False, soft_wrap=True
            )
    if found.contract_changed:
        out.print("the contract was changed since the last pass; see: setpoint plan")
    _print_last(found, out, decision_table(found.last, found.axis))


def _print_last(found: "Status", out: "Console", table: object) -> None:
    if found.last:
        out.print()
        out.print(table)
        out.print("why: setpoint explain ID", style="dim")


def _say(trigger: "TriggerStatus", found: "Status") -> str:
    from setpoint.clock import say_tick

    if trigger.held:
        until = "" if trigger.until is None else f", until {say_tick(trigger.until, found.axis)}"
        return f"due, but held: {trigger.held}{until}"
    if trigger.pending:
        return "due at the next pass"
    if trigger.fired_at is not None:
        return f"fires since it started the retrain at {say_tick(trigger.fired_at, found.axis)}"
    windows = "1 window" if trigger.windows == 1 else f"{trigger.windows:,} windows"
    return f"held for {windows}, not for long enough yet"
