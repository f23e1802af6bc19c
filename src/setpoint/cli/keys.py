"""`setpoint keys`: who may ask a gateway what."""

from pathlib import Path
from typing import Annotated

import typer

keys = typer.Typer(
    help="API keys of a gateway: add, list, revoke.", no_args_is_help=True, rich_markup_mode=None
)

_File = Annotated[Path, typer.Option("--file", help="The file of keys.")]
_FILE = Path(".setpoint") / "keys.json"
_DAY_S = 86_400.0


@keys.command("add")
def add(
    name: Annotated[str, typer.Argument(help="Who gets the key.")],
    verb: Annotated[
        list[str] | None,
        typer.Option(help="What it allows: predict, outcomes, read, metrics [the first three]."),
    ] = None,
    model: Annotated[list[str] | None, typer.Option(help="Only this model [all].")] = None,
    days: Annotated[float | None, typer.Option(min=0, help="Days until it expires.")] = None,
    file: _File = _FILE,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Make a key and show it, once; the file keeps its digest alone. Gateways know it within a second."""
    import msgspec

    from setpoint.adapters.key_file import KeyFile
    from setpoint.cli.failure import refusals
    from setpoint.clock import SystemClock
    from setpoint.errors import UsageError
    from setpoint.facts.api_key import VERBS, ApiKey

    with refusals(json=json):
        if unknown := sorted(set(verb or ()) - set(VERBS)):
            msg = f"--verb {unknown[0]}: a key allows {', '.join(VERBS)}"
            raise UsageError(msg)
        made = ApiKey(
            name=name,
            digest="",
            models=tuple(model or ()),
            expires=None if days is None else SystemClock().wall() + days * _DAY_S,
        )
        if verb:
            made = msgspec.structs.replace(made, verbs=tuple(one for one in VERBS if one in verb))
        secret = KeyFile(file).add(made)
    if json:
        typer.echo(msgspec.json.encode({"name": name, "key": secret, "file": str(file)}).decode())
        return
    typer.echo(secret)
    told = f"shown once; {file} keeps its digest. Use it: setpoint gateway --keys {file}"
    typer.echo(told, err=True)


@keys.command("list")
def list_(
    file: _File = _FILE,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """List the keys by name, with what each allows."""
    import msgspec

    from setpoint.adapters.key_file import KeyFile
    from setpoint.cli.failure import refusals
    from setpoint.clock import say_tick

    with refusals(json=json):
        found = KeyFile(file).keys()
    if json:
        typer.echo(msgspec.json.encode(found).decode())
        return
    for key in found:
        until = "" if key.expires is None else f", until {say_tick(key.expires, 'time')}"
        models = f", for {', '.join(key.models)}" if key.models else ""
        typer.echo(f"{key.name}: {', '.join(key.verbs)}{models}{until}")
    if not found:
        typer.echo(f"{file} has no keys")


@keys.command("revoke")
def revoke(
    name: Annotated[str, typer.Argument(help="Whose key.")],
    file: _File = _FILE,
) -> None:
    """Take a key away; gateways refuse it within a second."""
    from setpoint.adapters.key_file import KeyFile
    from setpoint.cli.failure import refusals

    with refusals():
        KeyFile(file).revoke(name)
    typer.echo(f"the key of {name} is revoked")
