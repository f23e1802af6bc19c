"""`setpoint plan`: what a changed contract would change, before anything runs."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from setpoint.contract.plan import Plan


def plan(
    first: Annotated[
        Path, typer.Argument(metavar="[OLD]", help="The old contract, or the only one.")
    ] = Path("model_contract.yaml"),
    second: Annotated[
        Path | None,
        typer.Argument(
            metavar="[NEW]", help="The new contract; without it, OLD against what is in force."
        ),
    ] = None,
    env: Annotated[str, typer.Option(help="Overlay configs/NAME.yaml.")] = "",
    json: Annotated[bool, typer.Option("--json", help="Print the plan as JSON.")] = False,
) -> None:
    """Compare two contracts, or one with the contract in force: each difference, and what the next pass does."""
    from setpoint.cli.failure import refusals

    with refusals(json=json):
        found = _against(first, second, env) if second else _against_state(first, env)
    if json:
        import msgspec

        print(msgspec.json.format(msgspec.json.encode(found.plain)).decode())
    else:
        _print(found)


def _against(old: Path, new: Path, env: str) -> "Plan":
    from setpoint.contract.plan import plan as compare
    from setpoint.wiring.contract_file import read_contract

    return compare(read_contract(old, env=env), read_contract(new, env=env))


def _against_state(path: Path, env: str) -> "Plan":
    from setpoint.contract.parse import restore
    from setpoint.contract.plan import plan as compare
    from setpoint.wiring.offline import open_offline

    offline = open_offline(path, env=env)
    state, _ = offline.journal.load()
    is_known = state is not None and state.contract_text
    return compare(restore(state.contract_text) if state and is_known else None, offline.contract)


def _print(found: "Plan") -> None:
    from rich.console import Console

    from setpoint.digest import short
    from setpoint.reports.wording import say_count

    out = Console(highlight=False, soft_wrap=True)
    if found.is_empty:
        out.print(f"nothing changes: both contracts promise the same ({short(found.new)})")
        return
    if not found.old:
        out.print("no contract of this model is in force yet, so all of it is new", markup=False)
    for difference in found.differences:
        out.print(str(difference), markup=False)
    what = say_count(len(found.differences), "difference")
    way = f"{short(found.old) or 'nothing'} → {short(found.new)}"
    out.print(f"{what} ({', '.join(found.effects)}), {way}", markup=False)
