"""Finds the deployment document of a project, for a gateway that is told no other.

Light: a gateway loads the database's library only where there is a state to ask.
"""

import importlib
from collections.abc import Callable
from pathlib import Path

from setpoint.adapters.file_deployments import FileDeployments
from setpoint.errors import DeploymentError, UsageError
from setpoint.settings import read_settings, variables_in
from setpoint.wiring.model_name import require_model

CONTRACT = "model_contract.yaml"


def project_document(
    folder: Path, model: str = "", told: Callable[[str], None] = lambda _: None
) -> Path:
    """Return the file of a project's deployment document, made what the project's state says.

    It need not be there yet: before the first version, or while a shared volume is empty, a gateway waits for it.

    Args:
        folder: Folder of the project.
        model: Name that its model must have; empty for any.
        told: Told what is not in order, though the document can be followed.

    Raises:
        UsageError: There is no project, or its model has another name.
        JournalError: The state cannot be read, and there is no document.
    """
    text = _text(folder / CONTRACT)
    settings = read_settings(folder, named=variables_in(text))
    path = settings.store / "deployment.json"
    if settings.database_url or (settings.store / "state.db").is_file():
        state = importlib.import_module("setpoint.wiring.project_state")
        state.publish_state(settings, path, model, told)
    elif path.is_file():
        require_model(model, _models_of(path), folder)
    elif text:
        reader = importlib.import_module("setpoint.wiring.contract_file")
        require_model(model, (reader.read_contract(folder / CONTRACT).model.name,), folder)
    elif not settings.store.is_dir():
        msg = (
            f"{folder} is no project: it has neither {CONTRACT} nor {settings.store.name}; go to one, or name "
            "--deployment FILE or URL, or --bundle DIR"
        )
        raise UsageError(msg)
    return path


def _models_of(path: Path) -> tuple[str, ...]:
    """Return the name of a document's model; none where it cannot be read, which the gateway will tell."""
    try:
        found = FileDeployments(path).current()
    except DeploymentError:
        return ()
    return () if found is None else (found.model,)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return ""
