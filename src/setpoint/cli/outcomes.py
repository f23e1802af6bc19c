"""`setpoint outcomes`: what turned out to be true of earlier answers."""

from pathlib import Path
from typing import Annotated

import typer


def outcomes(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="CSV or Parquet: prediction_id or key, outcome.")
    ],
    column: Annotated[
        str | None, typer.Option(help="Column of the outcome [outcome, or the target].")
    ] = None,
    latest: Annotated[
        bool, typer.Option("--latest", help="By key: the newest prediction of each is meant.")
    ] = False,
    contract: Annotated[Path, typer.Option(help="The contract.")] = Path("model_contract.yaml"),
    env: Annotated[str, typer.Option(help="Overlay configs/NAME.yaml.")] = "",
    json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Record outcomes by prediction or by key, all or none; the same file again changes nothing."""
    from setpoint.cli.failure import refusals
    from setpoint.wiring.offline import open_offline
    from setpoint.wiring.outcomes import OutcomeWish, record_file

    with refusals(json=json):
        offline = open_offline(contract, env=env)
        found = record_file(OutcomeWish(file.absolute(), column, latest), offline)
    if json:
        from dataclasses import asdict

        import msgspec

        print(msgspec.json.format(msgspec.json.encode(asdict(found))).decode())
        return
    waiting = f", {found.missing:,} rows have none yet" if found.missing else ""
    print(f"{found.recorded:,} outcomes recorded, {found.known:,} were known already{waiting}")
