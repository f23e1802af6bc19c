"""`setpoint init`: a project from a table."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from setpoint.wiring.project import Project


def init(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder of the new project.")],
    *,
    table: Annotated[Path, typer.Option("--from", help="CSV, CSV.gz, Parquet or Arrow file.")],
    target: Annotated[str, typer.Option(help="Column to predict.")],
    time: Annotated[str | None, typer.Option(help="Column that says when a row happened.")] = None,
    key: Annotated[str | None, typer.Option(help="Column that says whom a row is about.")] = None,
    rows: Annotated[int | None, typer.Option(help="Take the first N rows only.")] = None,
    task: Annotated[str | None, typer.Option(help="binary, multiclass or regression.")] = None,
    name: Annotated[str | None, typer.Option(help="Name of the model [the folder's].")] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Write over files that are there.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Read a table, draft its contract, and write a project that runs at once."""
    from setpoint.cli.failure import refusals
    from setpoint.errors import UsageError
    from setpoint.wiring.project import ProjectPlan, make_project

    with refusals(json=json):
        if task not in (None, "binary", "multiclass", "regression"):
            raise UsageError(f"--task {task}: one of binary, multiclass, regression")
        project = make_project(
            ProjectPlan(folder, table, target, time, key, rows, task, name, force)
        )
    if json:
        _print_json(project)
    else:
        _print(project)


def _print_json(project: "Project") -> None:
    import msgspec

    draft = project.draft
    found = {
        "folder": str(project.folder),
        "files": project.files,
        "rows": draft.rows,
        "contract": draft.contract,
        "digest": project.contract.digest,
        "notes": draft.notes,
        "left_out": draft.left_out,
        "blocking": [check.name for check in project.report.blocking],
    }
    print(msgspec.json.format(msgspec.json.encode(found)).decode())


def _print(project: "Project") -> None:
    from rich.console import Console

    out = Console(soft_wrap=True, highlight=False)
    model = project.contract.model
    out.print(f"[bold]{model.name}[/bold]: {model.task}, from {project.draft.rows:,} rows")
    for note in project.draft.notes:
        out.print(f"  {note}", markup=False)
    for path, remark in project.draft.remarks.items():
        if path.startswith("data.columns."):
            out.print(f"  {path.removeprefix('data.columns.')}: {remark}", markup=False)
    out.print(f"gates: {', '.join(gate.subject for gate in project.contract.gates)}", markup=False)
    out.print(f"wrote {len(project.files)} files to {project.folder}", markup=False)
    for check in project.report.blocking:
        out.print(
            f"  the table fails {check.name} {check.column}: {check.verdict.reason}", markup=False
        )
    out.print(f"next: cd {project.folder} && setpoint run", markup=False)
