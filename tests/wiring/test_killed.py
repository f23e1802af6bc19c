"""`run` and `up` killed at any moment: the next start goes on, and MLflow, state and ledger agree."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pytest

from setpoint.adapters.sql_journal import SqlJournal
from setpoint.ledger.verify import verify

ROWS = 1200
CONTRACT = """\
model: {name: small, task: binary}
data:
  source: rows.csv
  target: left
  positive: "1"
  columns: {a: {type: float}, b: {type: float}, c: {type: category}}
train: {params: {max_iter: 30}}
gates: [{metric: roc_auc, min: 0.6}]
release: {strategy: direct}
"""


@pytest.fixture
def project(tmp_path):
    rng = np.random.default_rng(5)
    a, b = rng.normal(size=(2, ROWS))
    left = (rng.random(ROWS) < 1 / (1 + np.exp(-2 * a))).astype(int)
    table = pa.table({"a": a, "b": b, "c": rng.choice(["x", "y"], ROWS), "left": left})
    pyarrow.csv.write_csv(table, tmp_path / "rows.csv")
    (tmp_path / "model_contract.yaml").write_text(CONTRACT)
    return tmp_path


def start(project, *words, **how):
    command = [sys.executable, "-m", "setpoint", *words]
    return subprocess.Popen(command, cwd=project, stdout=subprocess.PIPE, text=True, **how)


def state_of(project):
    journal = SqlJournal(project / ".setpoint" / "state.db", "small")
    state, _ = journal.load()
    return state, verify(journal.entries(), journal.head())


def mlflow_versions(project):
    script = (
        "import json, sys; from mlflow.tracking import MlflowClient; "
        "c = MlflowClient(sys.argv[1], sys.argv[1]); "
        "found = c.search_model_versions(\"name='small'\"); "
        "champion = int(c.get_model_version_by_alias('small', 'champion').version); "
        "print(json.dumps([[int(v.version), v.tags.get('setpoint.attempt'), champion] for v in found]))"
    )
    uri = f"sqlite:///{project / '.setpoint' / 'mlflow.db'}"
    done = subprocess.run([sys.executable, "-c", script, uri], capture_output=True, check=True)
    return json.loads(done.stdout.decode().splitlines()[-1])


@pytest.mark.slow
def test_run_killed_at_many_moments_goes_on_and_makes_one_version(project):
    for seconds in (0.5, 1.0, 1.6, 2.2, 3.0):
        process = start(project, "run", "--json")
        time.sleep(seconds)
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stdout.close()
        if (project / ".setpoint" / "state.db").exists():
            assert state_of(project)[1].ruling == "pass"
    last = start(project, "run", "--json")
    result = json.loads(last.communicate(timeout=120)[0])
    assert last.returncode == 0, result
    state, checked = state_of(project)
    assert checked.ruling == "pass"
    assert state.champion == result["champion"] == 1
    versions = mlflow_versions(project)
    assert [number for number, _, _ in versions] == [1]
    assert versions[0][1] == state.versions["1"].attempt
    assert versions[0][2] == 1
    document = json.loads((project / ".setpoint" / "deployment.json").read_text())
    assert document["champion"] == 1
    assert document["generation"] == state.generation


@pytest.mark.slow
def test_up_killed_leaves_no_gateway_behind_and_starts_again(project):
    start(project, "run", "--json").communicate(timeout=120)
    with socket.create_server(("127.0.0.1", 0)) as spare:
        port = spare.getsockname()[1]
    for _ in range(2):
        process = start(project, "up", "--port", str(port), "--every", "0.2")
        wait_ready(port)
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stdout.close()
        wait_closed(port)
    process = start(project, "up", "--port", str(port), "--every", "0.2")
    wait_ready(port)
    os.kill(process.pid, signal.SIGTERM)
    said = process.communicate(timeout=60)[0]
    assert process.returncode == 0
    assert said.rstrip().endswith("stopped")
    wait_closed(port)
    assert state_of(project)[1].ruling == "pass"


def wait_ready(port, most_s=60.0):
    end = time.monotonic() + most_s
    while time.monotonic() < end:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=2) as answer:
                if json.loads(answer.read())["ready"]:
                    return
        except OSError:
            pass
        time.sleep(0.1)
    pytest.fail("the gateway was not ready in time")


def wait_closed(port, most_s=40.0):
    end = time.monotonic() + most_s
    while time.monotonic() < end:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) != 0:
                return
        time.sleep(0.1)
    pytest.fail("a gateway was left behind")
