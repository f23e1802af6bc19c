"""`up` with bundles that were damaged on disk: a challenger goes back and no request notices; a champion is told of."""

import json
import subprocess
import time

import pytest

from setpoint.adapters.file_deployments import FileDeployments
from setpoint.adapters.log.sqlite_log import SqliteLog

CONTRACT = """\
release:
  strategy: canary
  steps: [20%, 100%]
  min_requests: 50
  guardrails: [{error_rate: 10%}]
retrain: {when: [rows.new >= 1000]}
"""
CHAMPION, CHALLENGER = 1, 2

# `up` whose disk damages the model of version 2 shortly before gateways are told to load it.
DAMAGES = """\
from pathlib import Path

from setpoint.adapters.file_deployments import FileDeployments
from setpoint.cli import main

publish = FileDeployments.publish

def damage(self, deployment):
    for one in deployment.prepare:
        if one.version == 2:
            (model,) = Path(one.bundle).glob("model.*")
            model.write_bytes(model.read_bytes()[:-1])
    publish(self, deployment)

FileDeployments.publish = damage
main()
"""


def said_by(project, *words):
    process = project.start(*words, "--json", stdout=subprocess.PIPE)
    return json.loads(process.communicate(timeout=120)[0])


def answers(project):
    """Return version and generation of every answer."""
    log = SqliteLog(project.store / "log.db")
    try:
        table = log.window(0.0, 1e12)
        return list(zip(table["version"].to_pylist(), table["generation"].to_pylist(), strict=True))
    finally:
        log.close()


@pytest.mark.slow
def test_damaged_challenger_is_taken_back_within_seconds_and_no_request_notices(project, traffic):
    project.write_contract(CONTRACT)
    project.run()
    process = project.up(DAMAGES)
    project.wait_ready(process)
    traffic.start()
    project.wait_for("answers", lambda _: len(traffic.acknowledged) > 50, process)
    reports = FileDeployments(project.store / "deployment.json").reports
    (gateway,) = reports()
    assert (gateway.generation, gateway.ready, gateway.refused) == (1, (CHAMPION,), {})

    project.write_rows(2400)
    project.wait_for("release", lambda _: project.decisions("release_started"), process)
    begun = time.monotonic()
    project.wait_for("end of it", lambda _: project.decisions("rolled_back"), process)
    assert time.monotonic() - begun < 30  # 2 s for a second try, and a pass; a machine may be busy
    project.wait_for("document", lambda _: reports()[0].generation == 3, process)
    enough = len(traffic.acknowledged) + 50
    project.wait_for("answers", lambda _: len(traffic.acknowledged) >= enough, process)
    traffic.stop()
    require_told(project)
    project.end(process)

    assert reports() == ()
    assert (traffic.wrong, traffic.refused, traffic.unready) == ([], 0, 0)
    given = answers(project)
    assert len(given) >= len(traffic.acknowledged)
    assert {version for version, _ in given} == {CHAMPION}
    assert {generation for _, generation in given} == {1, 3}
    assert project.state.champion == CHAMPION
    assert project.state.deployment.weights == {"1": 1.0}
    assert project.decisions("signal_breached") == []


def require_told(project):
    """Ledger, `explain` and `status` say why."""
    (back,) = project.decisions("rolled_back")
    (model,) = {"model.onnx", "model.pkl"} & set(back["reason"].replace(":", "").split())
    reason = (
        f"version 2 is taken back, version 1 has all traffic: gateways cannot serve it: {model} does not have "
        "the digest of the deployment document: the bundle was altered"
    )
    assert back["reason"] == reason
    (explained,) = said_by(project, "explain", back["id"])
    assert explained["reason"] == reason
    assert explained["verdicts"][0]["verdict"] == "error"
    status = said_by(project, "status")
    assert status["last"][-1]["reason"] == reason
    assert (status["release"], status["unserved"]) == (None, {})


@pytest.mark.slow
def test_champion_that_a_new_gateway_cannot_load_is_told_once(project):
    project.run()
    (deployed,) = project.deployment.prepare
    (model,) = (project.store / "bundles" / deployed.artifact).glob("model.*")
    sound = model.read_bytes()
    model.write_bytes(sound[:-1])
    process = project.up()
    project.wait_for("alert", lambda _: project.decisions("signal_breached"), process)
    (alert,) = project.decisions("signal_breached")
    words = "version 1: gateways cannot serve it, the champion: "
    assert alert["reason"].startswith(f"{words}{model.name} does not have the digest")
    shown = said_by(project, "status")["unserved"]
    assert shown == {"version 1": alert["reason"].removeprefix("version 1: ")}
    time.sleep(1.0)  # some passes
    assert project.decisions("signal_breached") == [alert]
    model.write_bytes(sound)
    project.wait_ready(process)
    project.wait_for("status", lambda _: project.state.unserved == {}, process)
    project.end(process)
