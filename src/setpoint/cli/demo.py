"""`setpoint demo`: the whole loop in about a minute."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from setpoint.wiring.own_table import OwnTable


def demo(
    folder: Annotated[Path, typer.Option("--dir", help="Folder of the demo; made anew.")] = Path(
        "setpoint-demo"
    ),
    data: Annotated[Path | None, typer.Option(help="Your own table: replayed alone.")] = None,
    target: Annotated[str | None, typer.Option(help="With --data: column to predict.")] = None,
    time: Annotated[str | None, typer.Option(help="With --data: column of the time.")] = None,
    start: Annotated[str | None, typer.Option(help="With --data: first row answered.")] = None,
    label_delay: Annotated[str | None, typer.Option(help="With --data: rows or time.")] = None,
    batch: Annotated[str | None, typer.Option(help="With --data: rows or time.")] = None,
) -> None:
    """Show the whole loop on a generated business, or a replay on your own table."""
    from setpoint.cli.failure import refusals
    from setpoint.errors import UsageError
    from setpoint.settings import quiet_foreign_libraries

    quiet_foreign_libraries()
    with refusals():
        if data is None:
            _business(folder.absolute())
            return
        if target is None:
            raise UsageError("--data needs --target COLUMN: what shall be predicted?")
        from setpoint.wiring.own_table import OwnTable

        _own(OwnTable(folder.absolute(), data.absolute(), target, time, start, label_delay, batch))


def _business(folder: Path) -> None:
    from rich.console import Console
    from rich.text import Text

    from setpoint.cli.late_bar import late_bar
    from setpoint.reports.terminal import replay_table
    from setpoint.wiring.demo import DemoPlan, learn, live, replay_history

    out = Console(highlight=False)

    def told(what: str, words: str) -> None:
        out.print(Text.assemble((f"{what:>18}  ", "bold"), words), soft_wrap=True)

    plan = DemoPlan(folder, told)
    told("demo", "a subscription business over two years; everything happens on this machine")
    history = learn(plan)
    with late_bar("replay", quiet=not out.is_terminal) as progress:
        replayed, report = replay_history(plan, progress)
    out.print(replay_table(replayed), crop=False)
    told("replay", f"{len(replayed.decisions)} decisions in {replayed.seconds:.0f} s: {report}")
    part = live(plan, history)
    told(
        "summary",
        f"{part.requests:,} live requests, {part.failed_before:,} failed before the bad release and "
        f"{part.failed - part.failed_before:,} in it, until it was rolled back",
    )
    told("summary", f"production is on version {part.champion}; ledger: {part.ledger}")
    told("report", str(report))


def _own(own: "OwnTable") -> None:
    from dataclasses import replace

    from rich.console import Console

    from setpoint.cli.late_bar import late_bar
    from setpoint.reports.replay_page import replay_page
    from setpoint.reports.terminal import replay_table
    from setpoint.wiring.own_table import replay_own

    out = Console(highlight=False)
    with late_bar("replay", quiet=not out.is_terminal) as progress:
        found = replay_own(replace(own, progress=progress))
    page = own.folder / "replay.html"
    page.write_text(replay_page(found), encoding="utf-8")
    out.print(replay_table(found), crop=False)
    out.print(f"contract: {own.folder / 'project' / 'model_contract.yaml'}", markup=False)
    out.print(f"report: {page}", markup=False, soft_wrap=True)
