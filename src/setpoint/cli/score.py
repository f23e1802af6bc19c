"""`setpoint score`: a file of rows, answered by the versions in production."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from setpoint.wiring.scoring import Scored


def score(
    rows: Annotated[Path, typer.Argument(metavar="IN", help="Rows: Parquet, CSV or CSV.gz.")],
    out: Annotated[Path, typer.Argument(metavar="OUT", help="Answers: .parquet or .csv.")],
    version: Annotated[
        int | None, typer.Option(help="Let this version answer [those in production].")
    ] = None,
    contract: Annotated[Path, typer.Option(help="The contract.")] = Path("model_contract.yaml"),
    env: Annotated[str, typer.Option(help="Overlay configs/NAME.yaml.")] = "",
    json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Answer a file of rows as gateways answer requests, and log the answers. Exit 1 if a row got none."""
    from setpoint.cli.failure import FAILED, refusals
    from setpoint.cli.late_bar import late_bar
    from setpoint.wiring.offline import open_offline
    from setpoint.wiring.scoring import ScoreWish, score_file

    with refusals(json=json):
        offline = open_offline(contract, env=env)
        with late_bar("score", quiet=json) as tell:
            wish = ScoreWish(
                rows.absolute(),
                out.absolute(),
                version,
                progress=lambda done, total: tell(done, total, ""),
            )
            found = score_file(wish, offline)
    if json:
        _print_json(found)
    else:
        _print(found)
    if found.failed:
        raise typer.Exit(FAILED)


def _print_json(found: "Scored") -> None:
    from dataclasses import asdict

    import msgspec

    told = {**asdict(found), "out": str(found.out)}
    print(msgspec.json.format(msgspec.json.encode(told)).decode())


def _print(found: "Scored") -> None:
    by = ", ".join(f"version {number}: {count:,}" for number, count in found.versions.items())
    answered = f"{found.rows - found.failed:,} of {found.rows:,} rows answered"
    print(f"{answered}{f' ({by})' if by else ''}, {found.logged:,} logged: {found.out}")
    if found.failed:
        print(f"{found.failed:,} rows got no answer, see the column error: {found.first_error}")
