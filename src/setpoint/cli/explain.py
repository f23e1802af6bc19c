"""`setpoint explain`: why a decision was taken, with its numbers."""

from pathlib import Path
from typing import Annotated

import typer


def explain(
    name: Annotated[
        str | None,
        typer.Argument(
            metavar="[ID]",
            help="Decision d-12, attempt a-3-… or version v3 [last decision but a fit].",
        ),
    ] = None,
    contract: Annotated[Path, typer.Option(help="The contract.")] = Path("model_contract.yaml"),
    env: Annotated[str, typer.Option(help="Overlay configs/NAME.yaml.")] = "",
    json: Annotated[bool, typer.Option("--json", help="Print decisions as JSON.")] = False,
) -> None:
    """Show decisions in full: what was done, why, each verdict with its numbers."""
    from setpoint.cli.failure import refusals
    from setpoint.control.queries import axis_of, require_state
    from setpoint.control.queries import explain as ask
    from setpoint.wiring.offline import open_offline

    with refusals(json=json):
        journal = open_offline(contract, env=env).journal
        axis = axis_of(require_state(journal))
        found = ask(journal, name)
    if json:
        import msgspec

        print(msgspec.json.format(msgspec.json.encode(found)).decode())
        return
    from rich.console import Console

    from setpoint.reports.terminal import decision_view

    out = Console(highlight=False)
    for position, decision in enumerate(found):
        if position:
            out.print()
        out.print(decision_view(decision, axis))
