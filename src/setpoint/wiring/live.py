"""Builds the live world: the store's adapters, opened when they are first needed."""

import importlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from setpoint.adapters.arrow_tables import ArrowTables
from setpoint.adapters.bundle_scorer import BundleScorer
from setpoint.adapters.bundle_store import BundleStore
from setpoint.adapters.deferred_registry import DeferredRegistry
from setpoint.adapters.file_deployments import FileDeployments
from setpoint.adapters.file_source import FileSource
from setpoint.adapters.git_lineage import git_state
from setpoint.adapters.log.chunk_log import ChunkLog
from setpoint.adapters.log.log_clock import LogClock
from setpoint.adapters.log.traffic import LogTraffic
from setpoint.adapters.package_lock import installed_packages, lock_digest
from setpoint.adapters.process_jobs import ProcessJobs
from setpoint.adapters.sql_journal import SqlJournal
from setpoint.adapters.watched_file import WATCHED, WatchedWriter
from setpoint.clock import Clock, SystemClock
from setpoint.contract.contract import Contract
from setpoint.control.rows import LabelledRows
from setpoint.control.world import World
from setpoint.data.conform import conform, require_columns, sort_by_time, ticks
from setpoint.errors import BundleError
from setpoint.facts.version import Lineage
from setpoint.ports.journal import Journal
from setpoint.ports.registry import Registry
from setpoint.settings import Settings
from setpoint.wiring.log_place import LateShadows, open_log, place_of


class SourceRows:
    """The labelled rows of a contract's source; read again only when its bytes change.

    Args:
        contract: Names the source.
        source: Reads it.
        tables: Where the typed table is stored.
    """

    def __init__(self, contract: Contract, source: FileSource, tables: ArrowTables) -> None:
        self._contract = contract
        self._source = source
        self._tables = tables
        self._fingerprint = ""
        self._rows: LabelledRows | None = None

    def __call__(self) -> LabelledRows:
        """Return the rows.

        Raises:
            DataError: The source cannot be read, or has no rows.
        """
        fingerprint = self._source.fingerprint()
        if self._rows is None or fingerprint != self._fingerprint:
            self._rows = self._read()
            self._fingerprint = fingerprint
        return self._rows

    def _read(self) -> LabelledRows:
        contract = self._contract
        raw, origin = self._source.read()
        conformed = conform(raw, contract)
        time = contract.require_data().time
        require_columns(conformed, raw, [time] if time else [], origin.source)
        if contract.axis == "time":
            conformed = sort_by_time(conformed, contract)
        return LabelledRows(
            conformed=conformed,
            contract=contract,
            table=self._tables.put(conformed.table),
            origin=origin,
            at=ticks(conformed.table, contract),
            ordered=contract.axis == "time",
        )


@dataclass(frozen=True)
class Live:
    """The live world and what it must close.

    Args:
        world: The ports.
        jobs: Does the fits.
        registry: MLflow, opened in the background.
        log: The prediction log.
        shadows: The log of the shadows beside it.
        lock: Digest of the installed packages.
    """

    world: World
    jobs: ProcessJobs
    registry: DeferredRegistry
    log: ChunkLog
    shadows: LateShadows
    lock: str

    def warm(self) -> None:
        """Begin in the background what takes seconds to start."""
        self.jobs.warm()
        self.registry.warm()

    def close(self) -> None:
        """End the processes and connections that it started."""
        self.jobs.close()
        self.log.close()
        self.shadows.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def open_live(
    contract: Contract,
    project: Path,
    settings: Settings,
    *,
    notice: Callable[[str], None] = lambda _: None,
) -> Live:
    """Return the live world of a project.

    Args:
        contract: The contract in force.
        project: Folder of the project; the contract's paths start there.
        settings: What the environment says.
        notice: Told what happens, for progress.

    Raises:
        JournalError: State or log cannot be opened.
    """
    store = settings.store
    store.mkdir(parents=True, exist_ok=True)
    section = contract.require_data()
    tables = ArrowTables(store)
    jobs = ProcessJobs(store, tables, project, os.cpu_count() or 1)
    registry = DeferredRegistry(lambda: _mlflow(settings))
    scorer = BundleScorer(store, project)
    journal = SqlJournal(settings.database, contract.model.name)
    place = place_of(settings)
    log, shadows = open_log(place), LateShadows(place)
    clock: Clock = SystemClock() if contract.axis == "time" else LogClock(log)
    lock = lock_digest(installed_packages())
    source = FileSource(section.source, folder=project, form=section.format)
    world = World(
        clock=clock,
        journal=journal,
        registry=registry,
        jobs=jobs,
        tables=tables,
        bundles=BundleStore(store),
        deployments=FileDeployments(store / "deployment.json"),
        traffic=LogTraffic(
            log,
            scorer,
            artifacts_of(journal),
            axis=contract.axis,
            shadows=shadows,
        ),
        scorer=scorer,
        rows=SourceRows(contract, source, tables),
        lineage=lambda: _lineage(project, lock),
        notice=notice,
        looked=WatchedWriter(store / WATCHED, contract.model.name, clock),
    )
    return Live(world, jobs, registry, log, shadows, lock)


def artifacts_of(journal: Journal) -> Callable[[int], str]:
    """Return what tells the artifact digest of a registered version, as the state knows it at the moment of asking."""

    def artifact_of(version: int) -> str:
        state, _ = journal.load()
        known = None if state is None else state.versions.get(str(version))
        if known is None:
            msg = f"the log has answers of version {version}, which the state does not know"
            raise BundleError(msg)
        return known.artifact

    return artifact_of


def _lineage(project: Path, lock: str) -> Lineage:
    state = git_state(project)
    return Lineage(snapshot="", contract="", lock=lock, commit=state.commit, dirty=state.dirty)


def _mlflow(settings: Settings) -> Registry:
    """Open MLflow. Its import is put off to the moment a run must be recorded."""
    adapter = importlib.import_module("setpoint.adapters.mlflow_registry")
    registry: Registry = adapter.MlflowRegistry(settings.tracking, artifacts=settings.artifacts)
    return registry
