"""`setpoint check`: is the contract sound, and what follows from it."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from setpoint.contract.contract import Contract
    from setpoint.contract.note import Note


def check(
    contract: Annotated[Path, typer.Argument(help="The contract.")] = Path("model_contract.yaml"),
    env: Annotated[str, typer.Option(help="Overlay configs/NAME.yaml.")] = "",
    json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Read a contract; say what it became, what it needs and what will not go as written. Exit 2 if unsound."""
    from setpoint.cli.failure import refusals
    from setpoint.contract.check import check as check_contract
    from setpoint.errors import ContractError
    from setpoint.wiring.contract_file import read_contract

    with refusals(json=json):
        try:
            read = read_contract(contract, env=env)
        except ContractError as error:
            if json:
                _print_problems(error)
                raise typer.Exit(2) from error
            raise
        notes = check_contract(read, champion_metrics=_champion_metrics(read, contract))
    if json:
        _print_json(read, notes)
    else:
        _print(read, notes)


def _champion_metrics(contract: "Contract", path: Path) -> dict[str, float]:
    """Return the champion's metrics, against which gates may be out of reach; none where nothing has run."""
    from setpoint.errors import JournalError
    from setpoint.wiring.offline import open_journal

    try:
        state, _ = open_journal(contract, path.absolute().parent).journal.load()
    except JournalError as error:
        print(f"setpoint: the champion's metrics are not known: {error}", file=sys.stderr)
        return {}
    champion = None if state is None else state.versions.get(str(state.champion))
    return {} if champion is None else champion.metrics


def _requests(contract: "Contract") -> int:
    from setpoint.contract.release_need import requests_needed

    return requests_needed(contract.release)


def _print_problems(error: Exception) -> None:
    from dataclasses import asdict

    import msgspec

    problems = [asdict(problem) for problem in getattr(error, "problems", ())]
    print(msgspec.json.format(msgspec.json.encode({"sound": False, "problems": problems})).decode())


def _print_json(contract: "Contract", notes: "list[Note]") -> None:
    import msgspec

    found = {
        "sound": True,
        "model": contract.model.name,
        "digest": contract.digest,
        "requests_needed": _requests(contract),
        "notes": [
            {
                "kind": note.kind,
                "path": note.path,
                "message": note.message,
                "file": note.place.file,
                "line": note.place.line,
            }
            for note in notes
        ],
    }
    print(msgspec.json.format(msgspec.json.encode(found)).decode())


def _print(contract: "Contract", notes: "list[Note]") -> None:
    from rich.console import Console

    from setpoint.digest import short
    from setpoint.reports.wording import say_count

    out = Console(highlight=False, soft_wrap=True)
    for note in sorted(notes, key=lambda one: one.kind == "info"):
        style = "yellow" if note.kind == "warning" else "dim"
        where = f"{note.place}: " if note.place.line else ""
        out.print(f"[{style}]{note.kind:<7}[/{style}] ", end="")
        out.print(f"{where}{note.path} {note.message}", markup=False)
    warnings = sum(note.kind == "warning" for note in notes)
    gates = say_count(len(contract.gates), "gate")
    told = f"{gates}, {say_count(warnings, 'warning')}, digest {short(contract.digest)}"
    out.print(f"{contract.model.name}: sound, {told}", markup=False)
    if needed := _requests(contract):
        out.print(f"a whole release needs {needed:,} requests", markup=False)
