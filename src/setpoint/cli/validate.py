"""`setpoint validate`: a table against its contract, or against a pandera schema."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from setpoint.facts.report import ValidationReport


def validate(
    data: Annotated[
        str | None, typer.Argument(metavar="[DATA]", help="File, folder or glob [data.source].")
    ] = None,
    contract: Annotated[Path, typer.Option(help="The contract.")] = Path("model_contract.yaml"),
    env: Annotated[str, typer.Option(help="Overlay configs/NAME.yaml.")] = "",
    accept: Annotated[
        list[str] | None, typer.Option(help="Go on although this check fails; can be repeated.")
    ] = None,
    schema: Annotated[
        str | None, typer.Option(help="A pandera schema instead: schemas.py:schema.")
    ] = None,
    html: Annotated[Path | None, typer.Option(help="Write the report as a page.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
) -> None:
    """Check a table: types, ranges, missing values, categories, rows, labels. Exit 1 where a check fails."""
    from setpoint.cli.accepting import accepted_names
    from setpoint.cli.failure import refusals

    with refusals(json=json):
        report = _report(data, contract, env, accepted_names(accept), schema)
        if html is not None:
            _write_page(report, html, _held_against(contract, env, schema))
    if json:
        _print_json(report)
    else:
        _print(report)
    raise typer.Exit(_exit_code(report))


def _report(
    data: str | None, contract: Path, env: str, accepted: tuple[str, ...], schema: str | None
) -> "ValidationReport":
    from setpoint.errors import UsageError
    from setpoint.wiring.contract_file import read_contract
    from setpoint.wiring.validation import validate_file, validate_schema

    if schema is not None:
        if data is None:
            raise UsageError(
                "--schema needs the data to check: setpoint validate DATA --schema schemas.py:schema"
            )
        if accepted:
            raise UsageError("--accept is for a contract's checks; those of a schema are its own")
        return validate_schema(schema, data, Path.cwd())
    # A path that people type starts where they stand; one in the contract starts at the contract.
    folder = contract.parent if data is None else Path.cwd()
    return validate_file(read_contract(contract, env=env), data, folder, accepted=accepted)


def _exit_code(report: "ValidationReport") -> int:
    from setpoint.cli.failure import FAILED, INCONCLUSIVE, PASSED

    if report.blocking:
        return FAILED
    is_open = any(check.verdict.verdict == "inconclusive" for check in report.checks)
    return INCONCLUSIVE if is_open else PASSED


def _print_json(report: "ValidationReport") -> None:
    import msgspec

    found = {"passed": not report.blocking, **msgspec.to_builtins(report)}
    print(msgspec.json.format(msgspec.json.encode(found)).decode())


def _print(report: "ValidationReport") -> None:
    from rich.console import Console

    from setpoint.reports.terminal import validation_table

    Console(highlight=False).print(validation_table(report), crop=False)


def _held_against(contract: Path, env: str, schema: str | None) -> str:
    from setpoint.wiring.contract_file import read_contract

    if schema is not None:
        return f"schema {schema}"
    read = read_contract(contract, env=env)
    return f"contract {read.model.name}, digest {read.digest[:16]}"


def _write_page(report: "ValidationReport", path: Path, against: str) -> None:
    from setpoint.clock import SystemClock
    from setpoint.errors import UsageError
    from setpoint.reports.validation_page import validation_page

    try:
        page = validation_page(report, contract=against, at=SystemClock().now())
        path.write_text(page, encoding="utf-8")
    except OSError as error:
        raise UsageError(f"--html {path}: {error.strerror}") from error
