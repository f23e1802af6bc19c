"""`run` and `up` killed at any moment: the next start goes on, and MLflow, state and ledger agree."""

import json
import subprocess
import sys
import time

import pytest

# A gateway to which SIGTERM comes before its event loop listens for signals: the kernel tells of a parent's death once.
_TOLD_EARLY = """\
import signal, sys
from pathlib import Path

from setpoint.wiring import gateway
from setpoint.wiring.gateway import GatewayPlan, run_gateway

serve = gateway._serve

def told_early(*what):
    signal.raise_signal(signal.SIGTERM)
    return serve(*what)

gateway._serve = told_early
run_gateway(GatewayPlan(deployment=Path(sys.argv[1]), port=0))
"""


@pytest.mark.slow
def test_run_killed_at_many_moments_goes_on_and_makes_one_version(project):
    for seconds in (0.5, 1.0, 1.6, 2.2, 3.0):
        process = project.start("run", "--json", stdout=subprocess.PIPE)
        time.sleep(seconds)
        project.kill(process)
        if project.state is not None:
            assert project.verification().ruling == "pass"
    result = project.run()
    assert project.verification().ruling == "pass"
    state = project.state
    assert state.champion == result["champion"] == 1
    known = project.mlflow()
    assert known["versions"] == [[1, state.versions["1"].attempt]]
    assert known["aliases"] == {"champion": 1}
    document = json.loads((project.store / "deployment.json").read_text())
    assert document["champion"] == 1
    assert document["generation"] == state.generation


@pytest.mark.slow
def test_up_killed_leaves_nothing_behind_and_starts_again(project):
    project.run()
    for _ in range(2):
        process = project.up()
        project.wait_ready(process)
        project.kill(process)
        project.require_alone()
    process = project.up()
    project.wait_ready(process)
    project.end(process)
    assert project.verification().ruling == "pass"


def test_gateway_that_is_told_to_end_while_it_starts_ends(tmp_path):
    command = [sys.executable, "-c", _TOLD_EARLY, str(tmp_path / "deployment.json")]
    ended = subprocess.run(command, capture_output=True, check=False, timeout=60)
    assert ended.returncode == 0, ended.stderr
