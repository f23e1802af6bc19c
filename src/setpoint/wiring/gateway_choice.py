"""Which document or bundle a gateway is asked to serve: by name, by place, or by standing in a project."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from setpoint.errors import UsageError
from setpoint.wiring.gateway_plan import RemotePlan, plan_remote
from setpoint.wiring.project_document import project_document

_REMOTE = "remote"  # folder of the store for what comes from a URL: apart from a project's own log and bundles


@dataclass(frozen=True)
class Choice:
    """What a command line says of it.

    Args:
        deployment: File or URL of a document; empty where none is named.
        model: Name of a project's model; empty where none is named.
        bundle: A bundle; None where none is named.
        token: Bearer token for a document's URL.
        every_s: Seconds between two looks at it.
    """

    deployment: str = ""
    model: str = ""
    bundle: Path | None = None
    token: str = field(default="", repr=False)
    every_s: float = 1.0


def choose_document(
    choice: Choice, folder: Path, store: Path, told: Callable[[str], None] = lambda _: None
) -> Path | RemotePlan | None:
    """Return the document to follow; None where a lone bundle is named.

    Args:
        choice: What the command line says.
        folder: Folder that the command is run in: a project, where nothing else is named.
        store: Folder that everything is kept in.
        told: Told what is not in order, though the document can be followed.

    Raises:
        UsageError: Two things are named, a URL is none, there is no project, or its model has another name.
        JournalError: The project's state cannot be read, and there is no document.
    """
    named = {
        "--deployment": choice.deployment,
        "--model": choice.model,
        "--bundle": choice.bundle,
    }
    given = [option for option, value in named.items() if value]
    if len(given) > 1:
        msg = f"{' and '.join(given)} exclude each other: name one"
        raise UsageError(msg)
    if choice.bundle is not None:
        return None
    if "://" in choice.deployment:
        return plan_remote(choice.deployment, store / _REMOTE, choice.token, choice.every_s)
    if choice.deployment:
        return Path(choice.deployment)
    return project_document(folder, choice.model, told)
