"""`setpoint replay`: a contract backtested over history."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from setpoint.facts.replay import Replay
    from setpoint.wiring.replay import ReplayWish


def replay(
    contract: Annotated[Path, typer.Argument(help="The contract.")] = Path("model_contract.yaml"),
    data: Annotated[
        str | None, typer.Option(help="File, folder or glob of the history [data.source].")
    ] = None,
    start: Annotated[
        str | None, typer.Option(help="First row that is answered: row number or date.")
    ] = None,
    label_delay: Annotated[
        str | None, typer.Option(help="When labels are known: rows or time [the contract's].")
    ] = None,
    batch: Annotated[
        str | None, typer.Option(help="Rows or time between two looks, such as 500 or 7d.")
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Seed of every fit [the contract's].")] = None,
    accept: Annotated[
        list[str] | None, typer.Option(help="Go on although this check fails; can be repeated.")
    ] = None,
    env: Annotated[str, typer.Option(help="Overlay configs/NAME.yaml.")] = "",
    html: Annotated[
        Path | None, typer.Option(help="Where to write the report [.setpoint/reports].")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Backtest a contract: what would have drifted, been retrained, promoted, rolled back. Writes a page."""
    from setpoint.cli.accepting import accepted_names
    from setpoint.cli.failure import refusals
    from setpoint.cli.late_bar import late_bar
    from setpoint.settings import read_settings
    from setpoint.wiring.contract_file import read_contract
    from setpoint.wiring.offline import named_variables
    from setpoint.wiring.replay import ReplayWish, run_replay

    with refusals(json=json):
        read = read_contract(contract, env=env)
        folder = contract.absolute().parent
        wish = ReplayWish(
            contract=read,
            data=data,
            folder=Path.cwd() if data else folder,
            store=read_settings(folder, named=named_variables(read)).store,
            start=start,
            label_delay=label_delay,
            batch=batch,
            seed=seed,
            accept=accepted_names(accept),
        )
        with late_bar("replay", quiet=json) as progress:
            found = run_replay(_with(wish, progress))
        page = _write_page(found, html or wish.store / "reports" / f"replay-{read.model.name}.html")
    _print(found, page, json=json)


def _with(wish: "ReplayWish", progress: Callable[[int, int, str], None]) -> "ReplayWish":
    from dataclasses import replace

    return replace(wish, progress=progress)


def _write_page(found: "Replay", path: Path) -> Path:
    from setpoint.errors import UsageError
    from setpoint.reports.replay_page import replay_page

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(replay_page(found), encoding="utf-8")
    except OSError as error:
        raise UsageError(f"--html {path}: {error.strerror}") from error
    return path


def _print(found: "Replay", page: Path, *, json: bool) -> None:
    if json:
        import msgspec

        print(msgspec.json.encode({**found.to_json(), "report": str(page)}).decode())
        return
    from rich.console import Console

    from setpoint.reports.terminal import replay_table

    out = Console(highlight=False)
    out.print(replay_table(found))
    out.print(f"report: {page}", markup=False, soft_wrap=True)
