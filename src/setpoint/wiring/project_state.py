"""Makes a project's deployment document what its state says, as a pass does when it begins.

A pass that was killed between its transaction and the document leaves an old document; a gateway that is asked for what
the state says must not serve it.
"""

from collections.abc import Callable
from pathlib import Path

from setpoint.adapters.file_deployments import FileDeployments
from setpoint.adapters.sql_journal import SqlJournal, models_in
from setpoint.errors import DeploymentError, JournalError, UsageError
from setpoint.facts.deployment import Deployment
from setpoint.settings import Settings
from setpoint.wiring.model_name import require_model


def publish_state(settings: Settings, path: Path, model: str, told: Callable[[str], None]) -> None:
    """Make the document what the state says, where that is newer. Repeating it is harmless.

    Args:
        settings: The project's settings.
        path: The document's file.
        model: Name that the project's model must have; empty for any.
        told: Told why the document stays as it is, where it can be followed all the same.

    Raises:
        UsageError: The project's model has another name, or nothing says which of several is meant.
        JournalError: The state cannot be read, and there is no document.
        DeploymentError: The document cannot be written, and there is none.
    """
    document = _current(path)
    try:
        name = _name(settings, document, model)
        if name:
            _publish(SqlJournal(settings.database, name), FileDeployments(path), path)
    except (JournalError, DeploymentError) as error:
        if document is None:
            raise
        told(f"{error}; the document stays as it is, of generation {document.generation}")


def _name(settings: Settings, document: Deployment | None, wanted: str) -> str:
    """Return the name of the project's model; empty where there is no state yet.

    Raises:
        UsageError: It is another than the one that is wanted, or nothing says which of several is meant.
        JournalError: The state cannot be read.
    """
    # A database of the team's holds the states of other projects too: only the document says which is this one's.
    known = (document.model,) if document is not None else models_in(settings.database)
    require_model(wanted, known, settings.store.parent)
    if not wanted and len(known) > 1:
        msg = f"the state holds several models, name one: --model {' or --model '.join(known)}"
        raise UsageError(msg)
    return wanted or (known[0] if known else "")


def _publish(journal: SqlJournal, deployments: FileDeployments, path: Path) -> None:
    # Again until nothing is left to do: a pass may commit and publish meanwhile, and its document must stay.
    while True:
        state, _ = journal.load()
        wanted = None if state is None else state.deployment
        found = _current(path)
        if wanted is None or found == wanted:
            return
        if found is not None and found.generation > wanted.generation:
            return
        deployments.publish(wanted)


def _current(path: Path) -> Deployment | None:
    """Return the document; None where there is none that can be read."""
    try:
        return FileDeployments(path).current()
    except DeploymentError:
        return None
