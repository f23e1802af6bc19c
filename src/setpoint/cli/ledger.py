"""`setpoint ledger`: the record of all decisions, checked, shown, handed out."""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from setpoint.clock import Axis
    from setpoint.facts.ledger import Entry

ledger = typer.Typer(
    help="The append-only record of all decisions: verify, show, export.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

_Contract = Annotated[Path, typer.Option(help="The contract.")]
_Env = Annotated[str, typer.Option(help="Overlay configs/NAME.yaml.")]
_Json = Annotated[bool, typer.Option("--json", help="Print as JSON.")]
_CONTRACT = Path("model_contract.yaml")


@ledger.command()
def verify(contract: _Contract = _CONTRACT, env: _Env = "", json: _Json = False) -> None:
    """Check the chain of hashes up to the head that the state knows. Exit 1 if broken, 3 if that cannot be told."""
    from setpoint.cli.failure import FAILED, INCONCLUSIVE, PASSED, refusals
    from setpoint.control.queries import require_state
    from setpoint.ledger.verify import verify as check
    from setpoint.wiring.offline import open_offline

    with refusals(json=json):
        journal = open_offline(contract, env=env).journal
        sequence, digest = journal.head()
        is_known = journal.load()[0] is not None
        if not is_known and next(journal.entries(), None) is None:
            require_state(journal)
        found = check(journal.entries(), (sequence, digest) if is_known else None)
    if json:
        import msgspec

        print(msgspec.json.format(msgspec.json.encode(found)).decode())
    else:
        print(f"{found.ruling}: {found.reason}")
        print(f"head {found.head}")
    codes = {"pass": PASSED, "inconclusive": INCONCLUSIVE}
    raise typer.Exit(codes.get(found.ruling, FAILED))


@ledger.command()
def show(
    contract: _Contract = _CONTRACT,
    kind: Annotated[
        str | None, typer.Option(help="Only this kind, such as promoted or data_blocked.")
    ] = None,
    last: Annotated[int, typer.Option(help="The last N entries; 0 shows all.", min=0)] = 20,
    env: _Env = "",
    json: _Json = False,
) -> None:
    """Show the last entries: number, when, what, why."""
    from collections import deque

    from setpoint.cli.failure import refusals
    from setpoint.control.queries import axis_of, require_state
    from setpoint.errors import UsageError
    from setpoint.wiring.offline import open_offline

    with refusals(json=json):
        journal = open_offline(contract, env=env).journal
        axis = axis_of(require_state(journal))
        kinds: dict[str, None] = {}
        chosen: deque[Entry] = deque(maxlen=last or None)
        for entry in journal.entries():
            kinds[entry.event.kind] = None
            if kind is None or entry.event.kind == kind:
                chosen.append(entry)
        if kind is not None and kind not in kinds:
            msg = f"--kind {kind}: the ledger has no such entry; it has {', '.join(sorted(kinds)) or 'none'}"
            raise UsageError(msg)
    if json:
        import msgspec

        print(msgspec.json.format(msgspec.json.encode(list(chosen))).decode())
    else:
        _print(chosen, axis)


@ledger.command()
def export(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Where to write; - for the output.")],
    contract: _Contract = _CONTRACT,
    env: _Env = "",
) -> None:
    """Write all entries as JSON lines, each as its hash was taken, so that others can verify them."""
    import sys

    from setpoint.cli.failure import refusals
    from setpoint.control.queries import require_state
    from setpoint.errors import UsageError
    from setpoint.wiring.offline import open_offline

    with refusals():
        journal = open_offline(contract, env=env).journal
        require_state(journal)
        if str(file) == "-":
            sys.stdout.writelines(_lines(journal.entries()))
            return
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            with file.open("w", encoding="utf-8") as out:
                out.writelines(_lines(journal.entries()))
        except OSError as error:
            msg = f"{file} cannot be written: {error.strerror}"
            raise UsageError(msg) from error
    print(f"wrote {journal.head()[0]:,} entries to {file}")


def _lines(entries: "Iterable[Entry]") -> Iterable[str]:
    from setpoint.digest import canonical_json
    from setpoint.ledger.plain import to_plain

    return (canonical_json(to_plain(entry)) + "\n" for entry in entries)


def _print(entries: "Iterable[Entry]", axis: "Axis") -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from setpoint.clock import say_moment

    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("entry", justify="right", no_wrap=True)
    table.add_column("when", no_wrap=True)
    table.add_column("what", no_wrap=True)
    table.add_column("why", ratio=1)
    table.add_column("id", style="dim", no_wrap=True)
    for entry in entries:
        table.add_row(
            f"{entry.sequence:,}",
            say_moment(entry.event.at, axis, entry.event.body.get("recorded")),
            Text(entry.event.kind),
            Text(str(entry.event.body.get("reason", ""))),
            Text(str(entry.event.body.get("id", ""))),
        )
    Console(highlight=False).print(table)
