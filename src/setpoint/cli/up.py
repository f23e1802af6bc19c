"""`setpoint up`: the loop and a gateway, until stopped."""

from pathlib import Path
from typing import Annotated

import typer


def up(
    contract: Annotated[Path, typer.Argument(help="The contract.")] = Path("model_contract.yaml"),
    env: Annotated[str, typer.Option(help="Overlay configs/NAME.yaml.")] = "",
    host: Annotated[str, typer.Option(help="Address of the gateway.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port of the gateway; 0 takes a spare one.")] = 8080,
    every: Annotated[float, typer.Option(min=0.05, help="Seconds between two passes.")] = 5.0,
) -> None:
    """Keep production where the contract says: watch, retrain, release, roll back; with a gateway beside it."""
    from rich.console import Console

    from setpoint.cli.failure import refusals
    from setpoint.clock import SystemClock, say_tick
    from setpoint.settings import quiet_foreign_libraries, read_settings
    from setpoint.wiring.contract_file import read_contract
    from setpoint.wiring.offline import named_variables
    from setpoint.wiring.up import UpPlan, run_up

    quiet_foreign_libraries()
    out = Console(highlight=False, soft_wrap=True)
    clock = SystemClock()

    def tell(words: str) -> None:
        out.print(f"{say_tick(clock.wall(), 'time')} {words}", markup=False)

    with refusals():
        read = read_contract(contract, env=env)
        project = contract.absolute().parent
        run_up(
            UpPlan(
                contract=read,
                project=project,
                settings=read_settings(project, named=named_variables(read)),
                host=host,
                port=port,
                every_s=every,
                told=tell,
            )
        )
        tell("stopped")
