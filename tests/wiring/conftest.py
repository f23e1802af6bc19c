"""A small project on disk whose commands run as processes of their own, to be killed; and somebody who keeps asking."""

import http.client
import json
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.csv
import pytest

from setpoint.adapters.log.sqlite_log import SqliteLog
from setpoint.adapters.sql_journal import SqlJournal
from setpoint.facts.deployment import Deployment
from setpoint.ledger.verify import verify

_CONTRACT = """\
model: {name: small, task: binary}
data:
  source: rows.csv
  target: left
  positive: "1"
  key: who
  columns: {a: {type: float}, b: {type: float}, c: {type: category}}
train: {params: {max_iter: 30}}
gates: [{metric: roc_auc, min: 0.6}]
serve: {log: durable}
"""
_MLFLOW = """\
import json, sys
from mlflow import MlflowClient

client = MlflowClient(sys.argv[1], sys.argv[1])
versions = client.search_model_versions("name='small'")
runs = client.search_runs([client.get_experiment_by_name("small").experiment_id])
print(json.dumps({
    "versions": sorted([int(one.version), one.tags.get("setpoint.attempt")] for one in versions),
    "runs": sorted(one.data.tags.get("setpoint.attempt") for one in runs),
    "aliases": client.get_registered_model("small").aliases,
}))
"""
CUSTOMERS = 300
_SOON_S = 120.0  # no test is about speed: a machine may be busy


@dataclass
class Project:
    """A project on disk, and what its store says while commands come and go.

    Args:
        folder: Its folder.
        port: Where its gateway listens.
        running: Processes that were started.
    """

    folder: Path
    port: int
    running: list[subprocess.Popen] = field(default_factory=list)

    @property
    def store(self):
        return self.folder / ".setpoint"

    @property
    def journal(self):
        return SqlJournal(self.store / "state.db", "small")

    @property
    def state(self):
        return self.journal.load()[0]

    @property
    def deployment(self):
        text = (self.store / "deployment.json").read_bytes()
        return msgspec.json.decode(text, type=Deployment)

    @property
    def said(self):
        """What `up` printed, all its lives together."""
        return (self.folder / "said.txt").read_text()

    def write_rows(self, rows):
        """Make the source anew: the first rows are always the same."""
        rng = np.random.default_rng(5)
        drawn = [(rng.normal(), rng.normal(), rng.random(), rng.random()) for _ in range(rows)]
        a, b, c, chance = np.array(drawn).T
        table = {
            "who": np.arange(rows),
            "a": a,
            "b": b,
            "c": np.where(c < 0.5, "x", "y"),
            "left": (chance < 1 / (1 + np.exp(-2 * a))).astype(int),
        }
        beside = self.folder / "rows.csv.new"
        pyarrow.csv.write_csv(pa.table(table), beside)
        beside.replace(self.folder / "rows.csv")

    def write_contract(self, more):
        (self.folder / "model_contract.yaml").write_text(_CONTRACT + more)

    def run(self):
        """Make one pass to its end, and return what it says."""
        process = self.start("run", "--json", stdout=subprocess.PIPE)
        said = process.communicate(timeout=_SOON_S)[0]
        assert process.returncode == 0, said
        return json.loads(said)

    def up(self, script=None):
        """Start the loop and its gateway, without waiting; as a script that changes it, if one is given."""
        with (self.folder / "said.txt").open("ab") as said:
            words = ("up", "--port", str(self.port), "--every", "0.1")
            return self.start(*words, script=script, stdout=said, stderr=subprocess.STDOUT)

    def start(self, *words, script=None, **how):
        way = ["-m", "setpoint"] if script is None else ["-c", script]
        process = subprocess.Popen([sys.executable, *way, *words], cwd=self.folder, **how)
        self.running.append(process)
        return process

    @staticmethod
    def kill(process):
        """End a process as a power cut would."""
        process.send_signal(signal.SIGKILL)
        process.wait()
        if process.stdout is not None:
            process.stdout.close()

    def end(self, process):
        """End `up` as a supervisor does; it must say that it stopped, and leave nothing behind."""
        process.send_signal(signal.SIGTERM)
        assert process.wait(_SOON_S) == 0, self.said
        assert self.said.rstrip().endswith("stopped")
        self.require_alone()

    def wait_for(self, what, holds, process=None):
        """Look again and again until something holds of the project; fail when the process ends before."""
        until = time.monotonic() + _SOON_S
        while time.monotonic() < until:
            if holds(self):
                return
            assert process is None or process.poll() is None, f"it ended before {what}: {self.said}"
            time.sleep(0.002)
        state = self.state
        where = state and (state.champion, state.attempt and state.attempt.stage, state.release)
        pytest.fail(f"waited in vain: {what}; the state is at {where}; up said {self.said}")

    def wait_ready(self, process):
        """Wait until the gateway is ready."""
        self.wait_for("the gateway", lambda _: self._is_ready(), process)

    def _is_ready(self):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/readyz", timeout=9) as given:
                return json.loads(given.read())["ready"]
        except OSError:
            return False

    def verification(self):
        """Check the ledger; only while nothing writes it."""
        return verify(self.journal.entries(), self.journal.head())

    def decisions(self, *kinds):
        """Return the bodies of the ledger's entries of these kinds, in order."""
        return [entry.event.body for entry in self.journal.entries() if entry.event.kind in kinds]

    def arms(self, generation):
        """Return the requests of each version since a generation."""
        log = SqliteLog(self.store / "log.db")
        try:
            return {k: v.requests for k, v in log.arms(generation=generation).items()}
        finally:
            log.close()

    def logged(self):
        """Return every answer in the prediction log with the customer whom it is about."""
        log = SqliteLog(self.store / "log.db")
        try:
            answers = log.window(0.0, float("inf")).to_pylist()
            ids = log.of_keys([str(who) for who in range(CUSTOMERS)])
        finally:
            log.close()
        who = {identity: key for key, some in ids.items() for identity in some}
        return [answer | {"who": who.get(answer["id"])} for answer in answers]

    def mlflow_rows(self, query):
        """Ask MLflow's tables, which takes no start of MLflow."""
        connection = sqlite3.connect(self.store / "mlflow.db", timeout=_SOON_S)
        try:
            return connection.execute(query).fetchall()
        finally:
            connection.close()

    def mlflow(self):
        """Return versions with their attempts, attempts of runs, and aliases."""
        uri = f"sqlite:///{self.store / 'mlflow.db'}"
        command = [sys.executable, "-c", _MLFLOW, uri]
        done = subprocess.run(command, capture_output=True, check=True, timeout=_SOON_S)
        return json.loads(done.stdout.decode().splitlines()[-1])

    def left_behind(self):
        """Return the processes that work in the project's folder."""
        found = []
        for process in Path("/proc").glob("[0-9]*"):
            try:
                if (process / "cwd").readlink() == self.folder:
                    found.append((process / "cmdline").read_bytes().replace(b"\0", b" ").decode())
            except OSError:
                continue  # it ended meanwhile, or is not ours
        return found

    def require_alone(self):
        """Wait until no process of the project is left and nobody listens on its port."""
        until = time.monotonic() + _SOON_S
        while (found := self.left_behind()) or self._is_listening():
            if time.monotonic() > until:
                pytest.fail(f"left behind: {found or self.port}")
            time.sleep(0.05)

    def _is_listening(self):
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def close(self):
        for process in self.running:
            if process.poll() is None:
                self.kill(process)
        self.require_alone()


class Traffic(threading.Thread):
    """Asks without an end, whether or not somebody answers; keeps what was acknowledged.

    Attributes:
        acknowledged: Prediction ids of requests that were answered with 200.
        refused: Requests that found nobody.
        unready: Answers that say "not ready yet"; the last is kept.
        wrong: Status and body of answers that are neither an answer nor "not ready yet".
    """

    def __init__(self, port, pause_s):
        super().__init__(name="traffic")
        self.acknowledged = []
        self.refused = 0
        self.unready = 0
        self.last_unready = b""
        self.wrong = []
        self._port = port
        self._pause_s = pause_s
        self._rng = np.random.default_rng(11)
        self._end = threading.Event()
        self._connection = None

    def run(self):
        while not self._end.wait(self._pause_s):
            try:
                status, body = self._ask()
            except (OSError, http.client.HTTPException):
                self.refused += 1
                self._close()
                continue
            if status == 200:
                self.acknowledged.append(json.loads(body)["prediction_id"])
            elif status == 503:
                self.unready, self.last_unready = self.unready + 1, body
            else:
                self.wrong.append((status, body))
        self._close()

    def __repr__(self):
        return (
            f"<{len(self.acknowledged)} answered, {self.refused} refused, {self.unready} not ready, "
            f"the last {self.last_unready}; wrong {self.wrong[-3:]}; alive {self.is_alive()}>"
        )

    def stop(self):
        self._end.set()
        self.join()

    def _ask(self):
        if self._connection is None:
            self._connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=60)
        a, b = self._rng.normal(size=2)
        who = int(self._rng.integers(CUSTOMERS))
        row = {"a": a, "b": b, "c": str(self._rng.choice(["x", "y"])), "who": who}
        headers = {"content-type": "application/json"}
        self._connection.request("POST", "/predict", json.dumps(row), headers)
        answer = self._connection.getresponse()
        return answer.status, answer.read()

    def _close(self):
        if self._connection is not None:
            self._connection.close()
            self._connection = None


@pytest.fixture
def project(tmp_path):
    """A project of 1,200 rows that releases at once, with a port that was free a moment ago."""
    with socket.create_server(("127.0.0.1", 0)) as spare:
        made = Project(tmp_path.resolve(), spare.getsockname()[1])
    made.write_rows(1200)
    made.write_contract("release: {strategy: direct}\n")
    yield made
    made.close()


@pytest.fixture
def traffic(project):
    """Somebody who asks the project's gateway about a hundred times a second."""
    thread = Traffic(project.port, 0.008)
    yield thread
    if thread.is_alive():
        thread.stop()
