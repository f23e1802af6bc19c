"""MLflow's own SQLite store, made whole or not at all.

MLflow makes its tables in some hundred statements, each of which lasts at once: a process that is killed among them
leaves a store that no MLflow ever opens again. So a new store is made beside its place, and put there by one call.
"""

import os
import warnings
from pathlib import Path

with warnings.catch_warnings():  # MLflow's mappings use what SQLAlchemy wants to drop
    warnings.simplefilter("ignore", DeprecationWarning)
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore


def make_store(file: Path, artifacts: Path | None) -> None:
    """Make an empty store where there is none; whoever else makes one meanwhile is as good.

    Args:
        file: Where the store shall be.
        artifacts: Folder for artifacts of experiments that name none of their own; MLflow's default for None.

    Raises:
        OSError: The folder cannot be written.
        MlflowException: MLflow cannot make its tables.
    """
    if file.exists():
        return
    # MLflow retries for minutes where the folder is missing.
    file.parent.mkdir(parents=True, exist_ok=True)
    part = file.with_name(f".{file.name}.{os.getpid()}")
    part.unlink(missing_ok=True)
    try:
        root = file.parent / "mlruns" if artifacts is None else artifacts
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            SqlAlchemyStore(f"sqlite:///{part}", str(root)).engine.dispose()
        try:
            os.link(part, file)
        except FileExistsError:
            return
    finally:
        part.unlink(missing_ok=True)
