"""`setpoint log`: what was answered, by which version, and how it turned out."""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple

import typer

from setpoint.cli.log_removal import forget, prune

if TYPE_CHECKING:
    import pyarrow as pa
    from rich.text import Text

    from setpoint.wiring.log import LogWish
    from setpoint.wiring.offline import Offline

log = typer.Typer(
    help="What was answered, by which version, and how it turned out: show, export, query, compact, prune, forget.",
    rich_markup_mode=None,
)
log.command()(prune)
log.command()(forget)

_Contract = Annotated[Path, typer.Option(help="The contract.")]
_Env = Annotated[str, typer.Option(help="Overlay configs/NAME.yaml.")]
_Json = Annotated[bool, typer.Option("--json", help="Print as JSON.")]
_Last = Annotated[str, typer.Option(help="Only the last 24h, 30m, 7d, … [all].")]
_Version = Annotated[int | None, typer.Option(help="Only answers of this version.")]
_Variant = Annotated[
    Literal["champion", "challenger", "shadow"] | None,
    typer.Option(help="Only these; what shadows answered is shown for shadow alone [all given]."),
]
_Where = Annotated[
    str, typer.Option(help="Conditions, such as \"tenure > 60 and plan = 'monthly'\".")
]
_CONTRACT = Path("model_contract.yaml")
_POLL_S = 0.5
_COLUMNS = (  # heading, width that most values fit in, whether it has numbers
    ("when (UTC)", 19, False),
    ("version", 7, True),
    ("answer", 8, False),
    ("chance", 7, True),
    ("outcome", 8, False),
    ("key", 8, False),
)
_GAP = 2  # characters between two columns
_LEAST_INPUT = 20  # characters of an answer's inputs that are shown on however narrow a screen
_LONGEST_ANSWER = 40


@log.callback(invoke_without_command=True)
def show(
    context: typer.Context,
    last: _Last = "",
    version: _Version = None,
    variant: _Variant = None,
    where: _Where = "",
    limit: Annotated[int, typer.Option(help="The newest N; 0 shows all.", min=0)] = 20,
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Go on with answers as they come, until Ctrl-C.")
    ] = False,
    contract: _Contract = _CONTRACT,
    env: _Env = "",
    json: _Json = False,
) -> None:
    """Show the newest answers: when, version, answer, outcome, key, inputs."""
    if context.invoked_subcommand is not None:
        return
    from setpoint.cli.failure import refusals
    from setpoint.wiring.log import newest_lines

    with refusals(json=json):
        offline, wish = _asked(_Asked(last, version, variant, where, limit), contract, env)
        if follow:
            _follow(wish, offline, json=json)
            return
        found = newest_lines(wish, offline)
    if json:
        _print_json(list(_plain(found)))
        return
    _print(found)


@log.command()
def export(
    file: Annotated[Path, typer.Argument(metavar="FILE", help=".parquet or .csv.")],
    last: _Last = "",
    version: _Version = None,
    variant: _Variant = None,
    where: _Where = "",
    contract: _Contract = _CONTRACT,
    env: _Env = "",
    json: _Json = False,
) -> None:
    """Write answers with inputs and outcomes to a file, in order of time."""
    from setpoint.cli.failure import refusals
    from setpoint.wiring.log import export_lines

    with refusals(json=json):
        offline, wish = _asked(_Asked(last, version, variant, where), contract, env)
        rows = export_lines(wish, file.absolute(), offline)
    if json:
        _print_json({"rows": rows, "file": str(file)})
    else:
        print(f"wrote {rows:,} answers to {file}")


@log.command()
def query(
    sql: Annotated[str, typer.Argument(metavar="SQL", help="SELECT … FROM log …")],
    limit: Annotated[int, typer.Option(help="Print N rows; 0 prints all.", min=0)] = 100,
    contract: _Contract = _CONTRACT,
    env: _Env = "",
    json: _Json = False,
) -> None:
    """Ask the log in SQL, by DuckDB; columns are those of an answer, and every input by its name.

    The tables are log and shadows: what shadows answered, with the id of the live answer as live.
    """
    from setpoint.cli.failure import refusals
    from setpoint.wiring.log_query import query_log
    from setpoint.wiring.offline import open_offline

    with refusals(json=json):
        found = query_log(sql, open_offline(contract, env=env))
    shown = found.slice(0, limit) if limit else found
    if json:
        _print_json(shown.to_pylist())
    else:
        _print_result(shown, found.num_rows)


@log.command()
def compact(
    everything: Annotated[
        bool, typer.Option("--all", help="Also answers of the hour that is not over.")
    ] = False,
    contract: _Contract = _CONTRACT,
    env: _Env = "",
    json: _Json = False,
) -> None:
    """Move answers of hours that are over into Parquet files, as every pass of setpoint up does."""
    from setpoint.cli.failure import refusals
    from setpoint.wiring.log import compact_log
    from setpoint.wiring.offline import open_offline

    with refusals(json=json):
        moved = compact_log(open_offline(contract, env=env), everything=everything)
    if json:
        from dataclasses import asdict

        _print_json(asdict(moved))
    elif moved.hours:
        size = f"{moved.size / 1e6:,.2f} MB"
        print(f"{moved.answers:,} answers, {moved.files:,} files, {size}: {moved.where}")
    else:
        print("no hour is over that was not moved already; --all moves the present one too")


class _Asked(NamedTuple):
    """Which answers a person asks for, as they were written."""

    last: str
    version: int | None
    variant: Literal["champion", "challenger", "shadow"] | None
    where: str
    limit: int = 0


def _asked(asked: _Asked, contract: Path, env: str) -> "tuple[Offline, LogWish]":
    """Return the project and what is asked of its log."""
    from setpoint.contract.scalar import ScalarError
    from setpoint.contract.spans import Duration
    from setpoint.errors import UsageError
    from setpoint.wiring.log import LogWish
    from setpoint.wiring.offline import open_offline

    try:
        last_s = float(Duration.read(asked.last)) if asked.last else None
    except ScalarError as error:
        msg = f"--last {asked.last}: {error}"
        raise UsageError(msg) from error
    wish = LogWish(last_s, asked.version, asked.variant, asked.where, asked.limit)
    return open_offline(contract, env=env), wish


def _follow(wish: "LogWish", offline: "Offline", *, json: bool) -> None:
    """Print answers as they come, until Ctrl-C or until nobody reads."""
    import sys
    import time

    import msgspec

    from setpoint.wiring.log import follow_lines

    def pause() -> bool:
        time.sleep(_POLL_S)
        return True

    head = True
    try:
        for table in follow_lines(wish, offline, pause):
            if json:
                lines = (msgspec.json.encode(line).decode() + "\n" for line in _plain(table))
                sys.stdout.writelines(lines)
            elif table.num_rows or head:
                _print(table, head=head, fixed=True)
                head = False
            sys.stdout.flush()
    except (KeyboardInterrupt, BrokenPipeError):
        return


def _plain(table: "pa.Table") -> Iterable[dict[str, Any]]:
    """Return answers as plain data, with the inputs that each has by name."""
    prefix = "feature."
    for line in table.to_pylist():
        inputs = {name.removeprefix(prefix): line[name] for name in line if name.startswith(prefix)}
        rest = {name: value for name, value in line.items() if not name.startswith(prefix)}
        yield {**rest, "inputs": inputs}


def _print_json(found: object) -> None:
    import msgspec

    print(msgspec.json.format(msgspec.json.encode(found)).decode())


def _print(table: "pa.Table", *, head: bool = True, fixed: bool = False) -> None:
    """Print answers; in columns of fixed width where more are to come below them."""
    from rich.console import Console
    from rich.table import Table

    out = Console(highlight=False)
    lines = list(_plain(table))
    cells = [_cells(line) for line in lines]
    shown = Table(box=None, pad_edge=False, header_style="dim", show_header=head)
    room = out.width
    for place, (name, least, is_number) in enumerate(_COLUMNS):
        width = max([len(name), *(len(row[place]) for row in cells), least if fixed else 0])
        justify: Literal["left", "right"] = "right" if is_number else "left"
        shown.add_column(name, justify=justify, no_wrap=True, min_width=width)
        room -= width + _GAP
    shown.add_column("inputs", no_wrap=True, overflow="ellipsis")
    for line, row in zip(lines, cells, strict=True):
        inputs = _inputs(line["inputs"])
        inputs.truncate(max(room, _LEAST_INPUT), overflow="ellipsis")
        shown.add_row(*row, inputs)
    out.print(shown)


def _cells(line: dict[str, Any]) -> "list[Text]":
    """Return what is shown of an answer beside its inputs."""
    from rich.text import Text

    from setpoint.reports.wording import say_number

    answer = Text(line["error"], style="red") if line["error"] else _say(line["prediction"])
    answer.truncate(_LONGEST_ANSWER, overflow="ellipsis")
    return [
        Text(_moment(line["at"])),
        Text(str(line["version"])),
        answer,
        Text(say_number(line["probability"])),
        _say(line["outcome"]),
        Text(line["key"]),
    ]


def _print_result(table: "pa.Table", rows: int) -> None:
    from rich.console import Console
    from rich.table import Table

    shown = Table(box=None, pad_edge=False, header_style="dim")
    for name in table.column_names:
        shown.add_column(name, overflow="fold")
    for line in zip(*(column.to_pylist() for column in table.columns), strict=True):
        shown.add_row(*(_say(value) for value in line))
    out = Console(highlight=False)
    out.print(shown)
    if rows > table.num_rows:
        out.print(f"{table.num_rows:,} of {rows:,} rows; all of them: --limit 0")


def _moment(at: float) -> str:
    from datetime import UTC, datetime

    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S")


def _say(value: Any) -> "Text":
    from rich.text import Text

    from setpoint.reports.wording import say_number

    is_number = value is None or (isinstance(value, int | float) and not isinstance(value, bool))
    return Text(say_number(value) if is_number else str(value))


def _inputs(inputs: dict[str, Any]) -> "Text":
    from rich.text import Text

    from setpoint.reports.wording import say_number

    words = (
        f"{name}={say_number(value) if isinstance(value, float) else value}"
        for name, value in inputs.items()
        if value is not None
    )
    return Text(" ".join(words))
