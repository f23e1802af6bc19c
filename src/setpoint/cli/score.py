"""`setpoint score`: rows of files of any size, answered by the versions in production."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from setpoint.wiring.scoring import Scored


def score(
    rows: Annotated[
        str,
        typer.Argument(
            metavar="IN", help="Rows: Parquet, CSV, CSV.gz or Arrow; a file, a folder, a 'glob'."
        ),
    ],
    out: Annotated[Path, typer.Argument(metavar="OUT", help="Answers: .parquet or .csv.")],
    version: Annotated[
        int | None, typer.Option(help="Let this version answer [those in production].")
    ] = None,
    log: Annotated[
        bool, typer.Option("--log/--no-log", help="Log the answers, for outcomes and monitor.")
    ] = True,
    strict: Annotated[
        bool, typer.Option("--strict", help="Stop at the first row that gets no answer.")
    ] = False,
    restart: Annotated[
        bool, typer.Option("--restart", help="Forget what was begun and not finished.")
    ] = False,
    contract: Annotated[Path, typer.Option(help="The contract.")] = Path("model_contract.yaml"),
    env: Annotated[str, typer.Option(help="Overlay configs/NAME.yaml.")] = "",
    json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Answer files of rows as gateways answer requests, and log the answers. Exit 1 if a row got none.

    Where it was stopped, the same command goes on.
    """
    from setpoint.cli.failure import FAILED, refusals
    from setpoint.cli.rows_bar import rows_bar
    from setpoint.wiring.offline import open_offline
    from setpoint.wiring.scoring import ScoreWish, score_file

    with refusals(json=json):
        offline = open_offline(contract, env=env)
        with rows_bar("score", quiet=json) as tell:
            wish = ScoreWish(
                rows,
                out.absolute(),
                version,
                log=log,
                strict=strict,
                restart=restart,
                progress=tell,
            )
            try:
                found = score_file(wish, offline)
            except KeyboardInterrupt:
                print("setpoint: stopped; the same command goes on", file=sys.stderr)
                raise
    if json:
        _print_json(found)
    else:
        _print(found)
    if found.scored < found.rows:
        raise typer.Exit(FAILED)


def _print_json(found: "Scored") -> None:
    from dataclasses import asdict

    import msgspec

    versions = list(found.versions)
    told = {
        **asdict(found),
        "version": versions[0] if len(versions) == 1 else None,
        "output": str(found.output),
    }
    print(msgspec.json.format(msgspec.json.encode(told)).decode())


def _print(found: "Scored") -> None:
    by = ", ".join(f"version {number}: {count:,}" for number, count in found.versions.items())
    answered = f"{found.scored:,} of {found.rows:,} rows answered"
    speed = (found.rows - found.resumed) / max(found.seconds, 1e-9)
    print(f"{answered}{f' ({by})' if by else ''}, {found.logged:,} logged: {found.output}")
    print(f"{found.seconds:,.1f} s, {speed:,.0f} rows/s", end="")
    print(f"; {found.resumed:,} rows were answered before" if found.resumed else "")
    if found.scored < found.rows:
        print(
            f"{found.refused:,} rows break a rule, {found.failed:,} the model failed on; "
            f"see the column error: {found.first_error}"
        )
    if not found.steady:
        print(
            "The last digits of these answers may differ from those of single requests: "
            "the model's own depend on which rows it is asked about together."
        )
