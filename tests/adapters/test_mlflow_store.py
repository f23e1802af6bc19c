"""Making MLflow's store: killed at any moment, the next start makes it."""

import signal
import sqlite3
import subprocess
import sys
import time

import pytest

from setpoint.adapters.mlflow_registry import MlflowRegistry
from setpoint.adapters.mlflow_store import make_store

_MAKE = """
import sys
from pathlib import Path
from setpoint.adapters.mlflow_store import make_store
print("ready", flush=True)
make_store(Path(sys.argv[1]), None)
"""


def tables(file):
    connection = sqlite3.connect(file)
    found = {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}
    connection.close()
    return found


@pytest.mark.slow
def test_killed_at_any_moment_it_is_whole_or_not_there(tmp_path):
    file = tmp_path / "store" / "mlflow.db"
    for seconds in (0.02, 0.1, 0.3, 0.6):
        with subprocess.Popen(
            [sys.executable, "-c", _MAKE, str(file)], stdout=subprocess.PIPE, text=True
        ) as process:
            assert process.stdout.readline() == "ready\n"
            time.sleep(seconds)
            process.send_signal(signal.SIGKILL)
        assert not file.exists() or "model_versions" in tables(file)
    registry = MlflowRegistry(f"sqlite:///{file}")
    assert registry.aliases("nobody") == {}


def test_two_that_make_it_at_once_get_one_store(tmp_path, monkeypatch):
    file = tmp_path / "mlflow.db"
    make_store(file, None)
    before = file.stat().st_ino
    exists = type(file).exists  # the slower one saw none
    monkeypatch.setattr(type(file), "exists", lambda path: path != file and exists(path))
    make_store(file, None)
    assert file.stat().st_ino == before
    assert [path.name for path in tmp_path.iterdir()] == ["mlflow.db"]
