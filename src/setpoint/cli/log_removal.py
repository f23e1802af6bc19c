"""`setpoint log prune` and `setpoint log forget`: what is not kept any longer."""

from pathlib import Path
from typing import Annotated, Any

import typer

_Contract = Annotated[Path, typer.Option(help="The contract.")]
_Env = Annotated[str, typer.Option(help="Overlay configs/NAME.yaml.")]
_Json = Annotated[bool, typer.Option("--json", help="Print as JSON.")]
_Dry = Annotated[bool, typer.Option("--dry-run", help="Remove nothing; only say what would be.")]
_CONTRACT = Path("model_contract.yaml")


def prune(
    keep: Annotated[str, typer.Option(help="Answers of the last 90d, 24h, … stay.")],
    dry_run: _Dry = False,
    contract: _Contract = _CONTRACT,
    env: _Env = "",
    json: _Json = False,
) -> None:
    """Remove answers of old hours and their outcomes, except what the loop still needs."""
    from setpoint.cli.failure import refusals
    from setpoint.wiring.log_removal import PruneWish, prune_log, read_age
    from setpoint.wiring.offline import open_offline

    with refusals(json=json):
        wish = PruneWish(read_age(keep, "--keep"), dry_run)
        found = prune_log(wish, open_offline(contract, env=env))
    if json:
        _print_json(found)
        return
    does = "would be" if dry_run else "were"
    more = "" if found.outcomes is None else f" and {found.outcomes:,} outcomes"
    print(f"{found.answers:,} answers{more} {does} removed, older than {_moment(found.before)}")
    if found.shadows:
        print(f"{found.shadows:,} answers of shadows {does} removed")
    for one in found.held:
        print(f"kept: {one.answers:,} answers, since {_moment(one.since)}: {one.reason}")
    if found.narrowed:
        print(f"note: {found.narrowed}")


def forget(
    key: Annotated[list[str], typer.Option(help="Whom: a value of data.key. May be repeated.")],
    dry_run: _Dry = False,
    contract: _Contract = _CONTRACT,
    env: _Env = "",
    json: _Json = False,
) -> None:
    """Remove all answers about somebody, with their outcomes and, where that can be done, their bytes."""
    from setpoint.cli.failure import INCONCLUSIVE, refusals
    from setpoint.wiring.log_removal import forget_keys
    from setpoint.wiring.offline import open_offline

    with refusals(json=json):
        found = forget_keys(tuple(key), open_offline(contract, env=env), dry_run=dry_run)
    if json:
        _print_json(found)
    else:
        does = "would be" if dry_run else "were"
        more = "" if found.outcomes is None else f" and {found.outcomes:,} outcomes"
        print(f"{found.answers + found.shadows:,} answers{more} {does} removed")
        for one in found.left:
            print(f"note: {one}")
    if found.left:
        raise typer.Exit(INCONCLUSIVE)


def _print_json(found: Any) -> None:
    from dataclasses import asdict

    import msgspec

    print(msgspec.json.format(msgspec.json.encode(asdict(found))).decode())


def _moment(at: float) -> str:
    from datetime import UTC, datetime

    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
