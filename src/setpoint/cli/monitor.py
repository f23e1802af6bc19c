"""`setpoint monitor`: one look at production now."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from setpoint.facts.signal import Signal


def monitor(
    contract: Annotated[Path, typer.Option(help="The contract.")] = Path("model_contract.yaml"),
    env: Annotated[str, typer.Option(help="Overlay configs/NAME.yaml.")] = "",
    json: Annotated[bool, typer.Option("--json", help="Print the signals as JSON.")] = False,
) -> None:
    """Measure the last window of answers: drift, data faults, performance. Exit 1 on a breach, 3 where unknown."""
    from setpoint.cli.failure import refusals
    from setpoint.settings import quiet_foreign_libraries, read_settings
    from setpoint.wiring.contract_file import read_contract
    from setpoint.wiring.offline import named_variables

    quiet_foreign_libraries()
    with refusals(json=json):
        from setpoint.control.observe import look_now
        from setpoint.control.reconcile import current
        from setpoint.wiring.live import open_live

        read = read_contract(contract, env=env)
        project = contract.absolute().parent
        settings = read_settings(project, named=named_variables(read))
        with open_live(read, project, settings) as live:
            state, _ = current(live.world, read)
            found = look_now(live.world, read, state)
    raise typer.Exit(_print(found, json=json))


def _print(found: "dict[str, Signal]", *, json: bool) -> int:
    """Print the signals and return the exit code."""
    from setpoint.cli.failure import FAILED, INCONCLUSIVE, PASSED
    from setpoint.facts.verdict import combine

    ruling = combine(signal.verdict for signal in found.values())
    if json:
        import msgspec

        plain = {"verdict": ruling, "signals": list(found.values())}
        print(msgspec.json.format(msgspec.json.encode(plain)).decode())
    else:
        from rich.console import Console

        from setpoint.reports.terminal import ruling_text, verdict_table

        out = Console(highlight=False)
        told = [one.verdict for one in found.values() if one.verdict.verdict != "pass"]
        if told:
            out.print(verdict_table(told, title="signal"))
        out.print(f"{len(found) - len(told)} of {len(found)} signals pass; all of them: --json")
        window = next(iter(found.values())).window
        out.print(f"version {window.version}, {window.rows:,} answers: ", ruling_text(ruling))
    return {"pass": PASSED, "fail": FAILED}.get(ruling, INCONCLUSIVE)
