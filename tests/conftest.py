"""A world in memory with small models that are fitted in this process: for tests that drive the loop."""

import signal
import time
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pytest
from tests.real_parts import object_store, postgres

from setpoint.adapters.arrow_tables import ArrowTables
from setpoint.adapters.bundle_scorer import BundleScorer
from setpoint.adapters.bundle_store import BundleStore
from setpoint.adapters.memory_deployments import MemoryDeployments
from setpoint.adapters.memory_journal import MemoryJournal
from setpoint.adapters.memory_registry import MemoryRegistry
from setpoint.clock import ManualClock
from setpoint.contract.parse import from_plain
from setpoint.control.rows import LabelledRows
from setpoint.control.world import World
from setpoint.data.conform import conform, sort_by_time, ticks
from setpoint.errors import SetpointError, TrainingError
from setpoint.facts.snapshot import Origin
from setpoint.facts.version import Lineage
from setpoint.training.bundle import open_bundle
from setpoint.training.result_file import read_result
from setpoint.training.train import train
from setpoint.worlds.history import History, truth_of

__all__ = ["object_store", "postgres"]  # fixtures for all tests

SMALL_TREE = {
    "binary": "sklearn.tree.DecisionTreeClassifier",
    "multiclass": "sklearn.tree.DecisionTreeClassifier",
    "regression": "sklearn.tree.DecisionTreeRegressor",
}


class InlineJobs:
    """Training jobs done in this process, kept by key like those of a process of their own."""

    def __init__(self, store, tables):
        self.jobs = store / "jobs"
        self.tables = tables
        self.bundles = BundleStore(store)
        self.fits = []

    def folder(self, key):
        return self.jobs / key

    def finished(self, key):
        return read_result(self.folder(key))

    def train(self, job):
        if (found := self.finished(job.key)) is not None:
            return found
        folder = self.folder(job.key)
        folder.mkdir(parents=True, exist_ok=True)
        with np.load(job.rows) as file:
            positions = dict(file)
        champion = open_bundle(self.bundles.find(job.champion)) if job.champion else None
        try:
            result = train(
                job,
                self.tables.get(job.table),
                positions,
                folder,
                champion=champion,
                stopwatch=time.perf_counter,
            )
        except TrainingError:
            raise
        except SetpointError as error:
            raise TrainingError("raised", str(error)) from error
        self.fits.append(job.key)
        self.bundles.note(result.artifact, folder / "bundle")
        return result


@dataclass
class Play:
    """A world, and what moves it on."""

    world: World
    clock: ManualClock
    contract: object
    rows: LabelledRows
    history: History

    def begin(self, row):
        """Put the clock to a row, the first that is answered."""
        self.history.begin(row)
        self.go_to(row)

    def go_to(self, row):
        """Put the clock to a row; labels become known."""
        at = self.rows.at
        tick = float(at[row]) if row < len(at) else float(at[-1]) + 1.0
        self.clock.put(max(self.clock.now(), tick))
        self.history.know(self.rows.known(self.clock.now()))

    def answer(self, start, end):
        """Answer rows by the document in force."""
        state = self.state
        artifacts = {one.version: one.artifact for one in state.versions.values()}
        self.history.answer(start, end, state.deployment, artifacts)

    @property
    def state(self):
        return self.world.journal.load()[0]

    @property
    def events(self):
        return [entry.event for entry in self.world.journal.entries()]


def _contract(task="binary", *, time=False, delay=None, **sections):
    unit = "s" if time else "rows"
    columns = {"a": {"type": "float"}, "b": {"type": "float"}}
    data = {"source": "rows.csv", "target": "y", "columns": columns}
    if time:
        data["time"] = "t"
    if task == "binary":
        data["positive"] = "1"
    judged = "mae" if task == "regression" else "accuracy"
    performance = {"metric": judged, "drop": "5%", "label_delay": f"{delay or 0}{unit[:1]}"}
    if not time:
        performance["label_delay"] = f"{delay or 0} rows"
    plain = {
        "model": {"name": "small", "task": task},
        "data": data,
        "train": {
            "estimator": SMALL_TREE[task],
            "params": {"max_depth": 3},
            "split": {"validation": "0%", "test": "30%"},
        },
        "gates": [{"metric": judged, "beats_champion": "0 abs", "confidence": "80%"}],
        "release": {"strategy": "direct"},
        "monitor": {
            "window": "100s" if time else "100 rows",
            "performance": performance,
            "drift": {"min_rows": 50},
        },
        "retrain": {
            "when": ["rows.new >= 100", "performance.drop > 5%", "drift.share > 30%"],
            "cooldown": "50s" if time else "50 rows",
        },
    }
    for name, section in sections.items():
        plain[name] = section if isinstance(section, list) else {**plain.get(name, {}), **section}
    return from_plain(plain)


def _table(rows, *, task="binary", change_at=None, seed=0, time=False, noise=0.1):
    """Rows whose answer follows from `a`, and after a change from its contrary."""
    rng = np.random.default_rng(seed)
    a, b = rng.normal(size=rows), rng.normal(size=rows)
    sign = np.where(np.arange(rows) >= (rows if change_at is None else change_at), -1.0, 1.0)
    value = sign * a + noise * rng.normal(size=rows)
    columns = {"a": a, "b": b}
    if task == "regression":
        columns["y"] = value
    else:
        columns["y"] = np.where(value > 0, "1", "0")
    if time:
        seconds = np.cumsum(rng.integers(0, 3, rows))
        columns["t"] = seconds.astype("datetime64[s]").astype("datetime64[us]")
    return pa.table(columns)


# A run that was started in the background ignores interrupts, and so would every process that a test starts.
if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def small_contract():
    """Make a contract about columns `a`, `b` and the target `y`; sections are laid over the usual ones."""
    return _contract


@pytest.fixture(scope="session")
def small_table():
    """Make a table for it; the answer turns into its contrary at `change_at`."""
    return _table


@pytest.fixture(scope="session")
def make_play():
    """Make a world in memory over a table; fits are kept in `store`."""

    def make(store, contract, table, *, unfolding=True, **ports):
        tables = ArrowTables(store)
        conformed = sort_by_time(conform(table, contract), contract)
        rows = LabelledRows(
            conformed=conformed,
            contract=contract,
            table=tables.put(conformed.table),
            origin=Origin(source="rows.csv", files={}, details={}),
            at=ticks(conformed.table, contract),
            ordered=True,
            unfolding=unfolding,
        )
        scorer = ports.pop("scorer", None) or BundleScorer(store)
        history = History(rows, truth_of(rows), scorer)
        clock = ManualClock(min(0.0, float(rows.at[0]) if len(rows.at) else 0.0))
        built = {
            "clock": clock,
            "journal": MemoryJournal(contract.model.name),
            "registry": MemoryRegistry(),
            "jobs": InlineJobs(store, tables),
            "tables": tables,
            "bundles": BundleStore(store),
            "deployments": MemoryDeployments(),
            "traffic": history,
            "scorer": scorer,
            "rows": lambda: rows,
            "lineage": lambda: Lineage(snapshot="", contract=""),
            "wall_clock": False,
            **ports,
        }
        return Play(World(**built), clock, contract, rows, history)

    return make
