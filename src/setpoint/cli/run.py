"""`setpoint run`: one pass."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from setpoint.contract.contract import Contract
    from setpoint.facts.run import RunResult
    from setpoint.settings import Settings


def run(
    contract: Annotated[Path, typer.Argument(help="The contract.")] = Path("model_contract.yaml"),
    env: Annotated[str, typer.Option(help="Overlay configs/NAME.yaml.")] = "",
    accept: Annotated[
        list[str] | None, typer.Option(help="Go on although this check fails; can be repeated.")
    ] = None,
    self_test: Annotated[
        bool, typer.Option("--self-test", help="Fit on shuffled labels: the gates must refuse it.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Make one pass: snapshot, validate, train, gates, register, release. Exit 1 where a gate or check failed."""
    from setpoint.cli.accepting import accepted_names
    from setpoint.cli.failure import refusals
    from setpoint.settings import quiet_foreign_libraries, read_settings
    from setpoint.wiring.contract_file import read_contract
    from setpoint.wiring.offline import named_variables

    quiet_foreign_libraries()
    with refusals(json=json):
        read = read_contract(contract, env=env)
        project = contract.absolute().parent
        settings = read_settings(project, named=named_variables(read))
        result = _pass(
            read, project, settings, accepted_names(accept), self_test=self_test, quiet=json
        )
    _print(result, json=json)
    raise typer.Exit(_exit_code(result))


def _pass(
    contract: "Contract",
    project: Path,
    settings: "Settings",
    accept: tuple[str, ...],
    *,
    self_test: bool,
    quiet: bool,
) -> "RunResult":
    from setpoint.wiring.quick import quick_run

    if not self_test and (found := quick_run(contract, project, settings, accept)) is not None:
        return found
    from setpoint.adapters.file_source import FileSource
    from setpoint.wiring.live import open_live

    section = contract.require_data()
    source = FileSource(section.source, folder=project, form=section.format).fingerprint()
    with (
        _told(quiet=quiet) as notice,
        open_live(contract, project, settings, notice=notice) as live,
    ):
        live.warm()
        from setpoint.control.run import RunWish
        from setpoint.control.run import run as make_pass
        from setpoint.wiring.run_page import write_run_page

        result = make_pass(live.world, contract, RunWish(source, live.lock, accept, self_test))
        return write_run_page(live.world, contract, settings.store, result)


@contextmanager
def _told(*, quiet: bool) -> Iterator[Callable[[str], None]]:
    """Show a spinner with what happens, on the error stream; nothing where output is for machines."""
    from rich.console import Console

    console = Console(stderr=True)
    if quiet or not console.is_terminal:
        yield lambda _: None
        return
    with console.status("reading the data") as status:
        yield lambda words: status.update(words[:100])


def _exit_code(result: "RunResult") -> int:
    from setpoint.cli.failure import FAILED, INCONCLUSIVE, PASSED

    codes = {"pass": PASSED, "inconclusive": INCONCLUSIVE}
    return codes.get(result.verdict, FAILED)


def _print(result: "RunResult", *, json: bool) -> None:
    if json:
        import msgspec

        print(msgspec.json.encode(result.to_json()).decode())
        return
    from rich.console import Console

    from setpoint.reports.run_summary import run_summary

    Console(highlight=False).print(run_summary(result), crop=False)
