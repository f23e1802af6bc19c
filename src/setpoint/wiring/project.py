"""Makes a new project from a table: reads it, drafts its contract, writes the files."""

import re
from dataclasses import dataclass
from pathlib import Path

from setpoint.adapters.file_sample import copy_table
from setpoint.adapters.file_source import FileSource
from setpoint.contract.contract import Contract
from setpoint.contract.parse import parse
from setpoint.contract.schema import schema_text
from setpoint.data.contract_text import contract_text
from setpoint.data.draft import Draft, Wish
from setpoint.data.infer import infer
from setpoint.data.validate import validate
from setpoint.deliver.project import CONTRACT, ProjectText, project_files
from setpoint.errors import UsageError
from setpoint.facts.report import ValidationReport


@dataclass(frozen=True)
class ProjectPlan:
    """What `setpoint init` is asked for.

    Args:
        folder: Folder of the new project.
        table: The table's file.
        target: Column to predict.
        time: Column that says when a row happened, if any.
        key: Column that says whom a row is about, if any.
        rows: First rows to take; all unless given.
        task: `binary`, `multiclass` or `regression`; told from the target unless given.
        name: Name of the model; the folder's unless given.
        force: Whether files that are there may be written over.
    """

    folder: Path
    table: Path
    target: str
    time: str | None = None
    key: str | None = None
    rows: int | None = None
    task: str | None = None
    name: str | None = None
    force: bool = False


@dataclass(frozen=True)
class Project:
    """A project that was made.

    Args:
        folder: Its folder.
        files: Files that were written, relative to the folder.
        draft: What was found in the table, and decided.
        contract: The contract, as read back.
        report: The table checked against it.
    """

    folder: Path
    files: tuple[str, ...]
    draft: Draft
    contract: Contract
    report: ValidationReport


def make_project(plan: ProjectPlan) -> Project:
    """Read a table, draft its contract, and write the files of a project.

    Raises:
        UsageError: Files are there already, or the plan contradicts itself.
        DataError: The table cannot be read, or no contract can be drafted from it. Nothing is written then.
    """
    if not plan.table.is_file():
        what = "is a folder; name one file" if plan.table.is_dir() else "is not there"
        raise UsageError(f"--from: {plan.table} {what}")
    if plan.rows is not None and plan.rows < 1:
        raise UsageError(f"--rows {plan.rows}: ask for 1 row or more")
    source = f"data/{plan.table.name}"
    reader = FileSource(plan.table.name, folder=plan.table.parent)
    form = reader.text_form()
    table, _ = reader.read()
    if plan.rows is not None:
        table = table.slice(0, plan.rows)
    wish = Wish(
        name=_model_name(plan),
        source=source,
        target=plan.target,
        time=plan.time,
        key=plan.key,
        task=plan.task,
    )
    draft = infer(table, wish, form=form)
    text = contract_text(draft.contract, draft.remarks)
    contract = parse(text, file=CONTRACT)
    report = validate(table, contract, source=source)
    files = project_files(
        ProjectText(
            name=contract.model.name,
            target=plan.target,
            task=contract.require_task(),
            source=source,
            gates=", ".join(f"`{gate.subject}`" for gate in contract.gates),
            contract=text,
            schema=schema_text(),
        )
    )
    _write(plan, files, source)
    return Project(plan.folder, tuple(sorted([*files, source])), draft, contract, report)


def _write(plan: ProjectPlan, files: dict[str, str], source: str) -> None:
    """Write all files, or none where one is there already."""
    there = [
        name
        for name in [*files, source]
        if (plan.folder / name).exists() and not _is_itself(plan, name)
    ]
    if there and not plan.force:
        raise UsageError(
            f"{plan.folder} already holds {', '.join(there[:5])}; name another folder, or use --force"
        )
    try:
        for name, text in files.items():
            path = plan.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        (plan.folder / source).parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"cannot write {error.filename}: {error.strerror}") from error
    copy_table(plan.table, plan.folder / source, rows=plan.rows)


def _is_itself(plan: ProjectPlan, name: str) -> bool:
    """Whether a file of the project is the table itself: it lies in `data/` already."""
    return plan.rows is None and (plan.folder / name).resolve() == plan.table.resolve()


def _model_name(plan: ProjectPlan) -> str:
    """Return a name that a contract takes: letters, digits, `_`, `.` and `-`."""
    raw = plan.name or plan.folder.resolve().name
    name = re.sub(r"[^A-Za-z0-9_.-]+", "_", raw).strip("_.-")
    return name[:100] or "model"
