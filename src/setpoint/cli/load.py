"""`setpoint load`: requests to a gateway at a steady rate, and how it answered."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from setpoint.load.measured import Measured
    from setpoint.wiring.load import Loaded


def load(
    url: Annotated[str, typer.Argument(metavar="URL", help="The gateway.")],
    rate: Annotated[float, typer.Option(help="Requests a second.")] = 100.0,
    seconds: Annotated[float, typer.Option(help="How long.")] = 10.0,
    concurrency: Annotated[int, typer.Option(help="Requests under way at once, at most.")] = 256,
    table: Annotated[
        Path | None, typer.Option(help="Rows to send, CSV or Parquet [made up].")
    ] = None,
    column: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=…", help="Made-up values: NAME=LOW..HIGH or NAME=A,B,C."),
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed of made-up rows.")] = 7,
    timeout: Annotated[float, typer.Option(help="Seconds that an answer may take.")] = 10.0,
    errors: Annotated[
        str, typer.Option(help="Requests that may go without an answer, such as 1%.")
    ] = "0%",
    p99: Annotated[
        str | None, typer.Option(help="What the 99th percentile may be, such as 50ms.")
    ] = None,
    key_file: Annotated[Path | None, typer.Option(help="File with the API key to send.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Send requests at a steady rate. Exit 1 if the gateway did not keep up, 3 if this machine did not."""
    from setpoint.cli.failure import refusals

    with refusals(json=json):
        from setpoint.wiring.load import LoadWish, run_load

        with _shown(seconds, quiet=json) as told:
            found = run_load(
                LoadWish(
                    url=url,
                    rate=rate,
                    seconds=seconds,
                    concurrency=concurrency,
                    table=table,
                    columns=tuple(column or ()),
                    seed=seed,
                    key_file=key_file,
                    timeout_s=timeout,
                    errors=errors,
                    p99=p99,
                    told=told,
                )
            )
    if json:
        _print_json(found)
    else:
        _print(found)
    raise typer.Exit(_code(found))


@contextmanager
def _shown(seconds: float, *, quiet: bool) -> Iterator[Callable[[float, int, int, int], None]]:
    """Show a bar while requests are sent, on the error stream.

    It is drawn when it is told something and by no thread of its own: that would make requests late.
    """
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn

    bar = Progress(
        TextColumn("load"),
        BarColumn(),
        TextColumn("{task.fields[said]}", markup=False),
        console=Console(stderr=True),
        auto_refresh=False,
        disable=quiet,
    )
    with bar:
        task = bar.add_task("load", total=seconds, said="asking the gateway what it serves")

        def told(at: float, sent: int, answered: int, errors: int) -> None:
            said = f"{at:.0f} of {seconds:g} s, {sent:,} sent, {answered:,} answered, {errors:,} errors"
            bar.update(task, completed=at, said=said, refresh=True)

        yield told
        bar.update(task, completed=seconds, refresh=True)


def _code(found: "Loaded") -> int:
    from setpoint.cli.failure import FAILED, INCONCLUSIVE, PASSED
    from setpoint.facts.verdict import combine

    return {"pass": PASSED, "fail": FAILED}.get(combine(found.verdicts), INCONCLUSIVE)


def _print_json(found: "Loaded") -> None:
    import msgspec

    from setpoint.facts.verdict import combine

    plain = {"verdict": combine(found.verdicts), **msgspec.to_builtins(found)}
    print(msgspec.json.format(msgspec.json.encode(plain)).decode())


def _print(found: "Loaded") -> None:
    from rich.console import Console

    from setpoint.reports.terminal import verdict_table

    print(f"{found.model}: {found.rows:,} different rows, {found.source}")
    if found.assumed:
        names = ", ".join(found.assumed)
        print(f"nobody said what these hold, so it is made up: {names} (--column, --table)")
    for line in _lines(found.measured):
        print(line)
    Console(highlight=False).print(verdict_table(found.verdicts, title="load"))


def _lines(found: "Measured") -> Iterator[str]:
    """Yield what was measured."""
    latency = found.latency
    yield (
        f"{found.sent:,} requests in {found.elapsed_s:.1f} s, {found.answered:,} answered:"
        f" {found.answered_per_s:,.0f} a second of {found.rate:,g} asked for"
    )
    if latency.count:
        said = ", ".join(
            f"{name} {_duration(seconds)}"
            for name, seconds in (
                ("p50", latency.p50),
                ("p90", latency.p90),
                ("p99", latency.p99),
                ("p99.9", latency.p999),
                ("longest", latency.longest),
            )
        )
        yield f"latency from the scheduled time: {said}"
    if found.versions:
        by = ", ".join(f"version {name}: {count:,}" for name, count in found.versions.items())
        yield f"answered by {by}"
    for kind, count in found.errors.items():
        yield f"{count:,} times {kind}: {found.examples[kind]}"
    yield (
        f"the generator took {found.processor_share:.0%} of a processor, waited {found.starved_share:.0%} of the time"
        f" for one, and sent {found.late_share:.1%} of the requests late"
    )


def _duration(seconds: float) -> str:
    return f"{seconds:.2f} s" if seconds >= 1 else f"{seconds * 1000:.3g} ms"
