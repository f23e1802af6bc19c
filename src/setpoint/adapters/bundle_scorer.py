"""Scoring tables with released bundles; implements `setpoint.ports.scorer.Scorer`."""

import sys
from pathlib import Path

import pyarrow as pa

from setpoint.adapters.bundle_store import BundleStore
from setpoint.facts.evidence import Scores
from setpoint.training.bundle import open_bundle
from setpoint.training.model import Model, score
from setpoint.training.threads import limited_threads

_OPEN_AT_MOST = 8  # models kept in memory
_THREADS = 2  # for large tables


class BundleScorer:
    """Answers for whole tables with the bundle that gateways load.

    A bundle is checked against its digests when it is opened, and stays open while it is used.

    Args:
        store: The project's store, such as `.setpoint`.
        project: The project's folder: a native model of a project's function needs its modules. None where native
            models come from scikit-learn alone.
    """

    def __init__(self, store: Path, project: Path | None = None) -> None:
        self._bundles = BundleStore(store)
        self._project = project
        self._open: dict[str, Model] = {}

    def score(self, artifact: str, table: pa.Table) -> Scores:
        """Return the answers of the version with this artifact digest for every row of `table`.

        Raises:
            BundleError: The bundle is missing or altered.
            DataError: The table lacks a feature.
        """
        model = self.model(artifact)
        with limited_threads(table.num_rows, len(model.form.features), _THREADS):
            return score(model, table)

    def classes(self, artifact: str) -> tuple[str, ...]:
        """Return the class names that the codes of `score` index; empty for regression.

        Raises:
            BundleError: The bundle is missing or altered.
        """
        return self.model(artifact).form.classes

    def model(self, artifact: str) -> Model:
        """Return the model with this artifact digest, with the classes and features it answers.

        Raises:
            BundleError: The bundle is missing or altered.
        """
        if artifact not in self._open:
            if self._project is not None:
                add_project(self._project)
            opened = open_bundle(self._bundles.find(artifact))
            while len(self._open) >= _OPEN_AT_MOST:
                del self._open[next(iter(self._open))]
            self._open[artifact] = opened
        return self._open[artifact]


def add_project(project: Path) -> None:
    """Let modules of a project's `src` folder and of the project itself be imported, after all others."""
    for folder in (project / "src", project):
        if str(folder) not in sys.path:
            sys.path.append(str(folder))
