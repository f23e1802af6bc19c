"""The command line: one command a file; parse, call, print, exit code.

Belongs here: options, what is printed, exit codes. The only room with imports inside functions: a command pays only for
what it uses. Never here: a decision, a computation, an outside system.
"""

import sys
from typing import Annotated

import typer

from setpoint import __version__
from setpoint.cli.check import check
from setpoint.cli.demo import demo
from setpoint.cli.explain import explain
from setpoint.cli.gateway import gateway
from setpoint.cli.init import init
from setpoint.cli.keys import keys
from setpoint.cli.ledger import ledger
from setpoint.cli.load import load
from setpoint.cli.log import log
from setpoint.cli.monitor import monitor
from setpoint.cli.outcomes import outcomes
from setpoint.cli.plan import plan
from setpoint.cli.replay import replay
from setpoint.cli.run import run
from setpoint.cli.score import score
from setpoint.cli.status import status
from setpoint.cli.up import up
from setpoint.cli.validate import validate

app = typer.Typer(
    name="setpoint",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


def _tell_version(*, wanted: bool) -> None:
    if wanted:
        print(f"setpoint {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    *,
    version: Annotated[
        bool,
        typer.Option(
            "--version",
            callback=lambda wanted: _tell_version(wanted=wanted),
            is_eager=True,
            help="Print the version and exit.",
        ),
    ] = False,
) -> None:
    """Say what a model must be, in one model_contract.yaml. Setpoint keeps production there."""


for _command in (
    init,
    check,
    plan,
    validate,
    run,
    replay,
    demo,
    up,
    gateway,
    load,
    score,
    outcomes,
    monitor,
    status,
    explain,
):
    app.command()(_command)
app.add_typer(ledger, name="ledger")
app.add_typer(log, name="log")
app.add_typer(keys, name="keys")


def main() -> None:
    """Run the command line."""
    sys.exit(app())
