"""Commands that only look start at once: they load nothing heavy."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from setpoint import __version__
from setpoint.adapters.sql_journal import SqlJournal
from setpoint.control.change import change
from setpoint.facts.state import LoopState
from setpoint.wiring.contract_file import read_contract

HEAVY = ("mlflow", "sklearn", "scipy", "pandas", "numpy", "pyarrow", "onnxruntime", "uvicorn")
# Typer itself looks for pydantic when it reads the options of a command.
FOR_HELP = (*HEAVY, "sqlalchemy", "rich", "msgspec", "ruamel")
PROGRAM = """
import json, sys
from typer.testing import CliRunner
from setpoint.cli import app
found = CliRunner().invoke(app, sys.argv[1:])
print(json.dumps([found.exit_code, found.output, sorted({name.partition(".")[0] for name in sys.modules})]))
"""


@pytest.fixture
def project(tmp_path):
    path = tmp_path / "model_contract.yaml"
    path.write_text("model: {name: m, task: binary}\ndata: {source: t.csv, target: y}\n")
    contract = read_contract(path)
    state = LoopState(model="m", contract=contract.digest, contract_text=contract.text)
    step = change(state, "promote", "first", at=1.0, version=1)
    SqlJournal(tmp_path / ".setpoint" / "state.db", "m").commit(0, step.state, step.events)
    return tmp_path


def run(folder: Path, *words: str) -> tuple[str, set[str]]:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, *words], cwd=folder, capture_output=True, check=True
    )
    code, output, modules = json.loads(done.stdout)
    assert code == 0, output
    return output, set(modules)


@pytest.mark.parametrize(
    "words",
    [
        ("--help",),
        ("status", "--help"),
        ("score", "--help"),
        ("load", "--help"),
        ("ledger", "verify", "--help"),
    ],
)
def test_help_loads_nothing_heavy(tmp_path, words):
    output, modules = run(tmp_path, *words)
    assert "Usage" in output
    assert modules.isdisjoint(FOR_HELP), modules & set(FOR_HELP)


def test_version_is_told_at_once(tmp_path):
    output, modules = run(tmp_path, "--version")
    assert output == f"setpoint {__version__}\n"
    assert modules.isdisjoint(FOR_HELP), modules & set(FOR_HELP)


@pytest.mark.parametrize(
    "words",
    [("status",), ("explain",), ("check",), ("plan",), ("ledger", "verify"), ("ledger", "show")],
)
def test_commands_that_look_load_no_tables_models_or_registry(project, words):
    _, modules = run(project, *words)
    assert "sqlalchemy" in modules
    assert modules.isdisjoint(HEAVY), modules & set(HEAVY)
