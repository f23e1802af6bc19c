"""`setpoint load` against a gateway as it is, in this process and as a command of its own."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time

import pytest
from typer.testing import CliRunner

from setpoint.cli import app
from setpoint.client import Client

SOON = ("--rate", "200", "--seconds", "0.5")


@pytest.fixture
def url(project, start_gateway, wait_until):
    """A gateway that is ready, with a canary by the key."""
    project.add(1)
    project.add(2)
    project.deploy(1, {1: 0.8, 2: 0.2}, sticky="customer_id")
    found = start_gateway().url
    with Client(found) as client:
        wait_until(client.ready)
    return found


def load(*words):
    found = CliRunner().invoke(app, ["load", *map(str, words)])
    assert found.exception is None or isinstance(found.exception, SystemExit), found.exception
    return found


def table(tmp_path, *lines):
    path = tmp_path / "rows.csv"
    path.write_text("\n".join(["tenure,charges,paperless,plan,region,churned", *lines, ""]))
    return path


def test_made_up_rows_are_answered_by_both_versions(url):
    found = load(url, *SOON, "--json")
    told = json.loads(found.stdout)
    measured = told["measured"]
    assert (measured["scheduled"], measured["statuses"]) == (100, {"200": 100})
    assert measured["errors"] == {}
    assert sorted(measured["versions"]) == ["1", "2"]
    assert measured["versions"]["1"] > measured["versions"]["2"]
    assert 0 < measured["latency"]["p50"] <= measured["latency"]["p999"]
    assert told["assumed"] == ["region"]
    # On a machine that others use too it may be unsure of itself; it never blames the gateway.
    assert (told["verdict"], found.exit_code) in (("pass", 0), ("inconclusive", 3))
    assert told["verdicts"][1]["verdict"] == "pass"


def test_rows_of_a_table_are_sent_without_what_the_model_does_not_know(url, tmp_path):
    path = table(tmp_path, "3,70.5,true,monthly,north,Yes", "100,20,false,,south,No")
    found = load(url, *SOON, "--table", path, "--json")
    told = json.loads(found.stdout)
    assert (told["rows"], told["source"]) == (2, str(path))
    assert told["measured"]["statuses"] == {"200": 100}


def test_refused_rows_fail_and_say_why(url, tmp_path):
    path = table(tmp_path, "3,70.5,true,monthly,north,Yes", "300,20,false,,south,No")
    found = load(url, *SOON, "--table", path)
    assert found.exit_code == 1
    assert "50 times refused 422" in found.stdout
    assert "300 is above the maximum 120" in found.stdout
    allowed = load(url, *SOON, "--table", path, "--errors", "50%")
    assert allowed.exit_code in (0, 3)


def test_made_up_values_can_be_said(url):
    assert load(url, *SOON, "--column", "tenure=0..500").exit_code == 1
    found = load(url, *SOON, "--column", "region=north,south", "--column", "tenure=1..2")
    assert "made up: region" not in found.stdout
    assert found.exit_code in (0, 3)


def test_a_rate_that_the_gateway_cannot_answer_fails_or_is_not_sure(url):
    found = load(url, "--rate", 30_000, "--seconds", 1, "--concurrency", 2, "--json")
    told = json.loads(found.stdout)
    measured = told["measured"]
    assert found.exit_code in (1, 3)
    assert measured["sent"] < measured["scheduled"]
    assert measured["latency"]["count"] == measured["scheduled"]
    assert measured["latency"]["p99"] > 0.3  # what waited is not left out
    assert told["verdicts"][0]["verdict"] in ("fail", "inconclusive")


def test_a_latency_that_cannot_be_fails(url):
    found = load(url, "--rate", 300, "--seconds", 0.5, "--p99", "1us", "--json")
    assert found.exit_code in (1, 3)
    assert json.loads(found.stdout)["verdicts"][2]["verdict"] in ("fail", "inconclusive")


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("--rate", "0"), "above 0"),
        (("--seconds", "-1"), "above 0"),
        (("--concurrency", "0"), "1 or more"),
        (("--column", "nobody=1..2"), "no input 'nobody'"),
        (("--column", "tenure"), "NAME=LOW..HIGH"),
        (("--errors", "200%"), "from 0 to 1"),
        (("--p99", "50"), "not a duration"),
        (("--table", "nowhere.csv"), "nowhere.csv"),
        (("--table", "nowhere.csv", "--column", "tenure=1..2"), "not by both"),
        (("--key-file", "nowhere.key"), "nowhere.key"),
    ],
)
def test_what_makes_no_sense_is_refused_with_2(url, words, reason):
    found = load(url, *words)
    assert found.exit_code == 2
    assert reason in found.stderr


def test_no_gateway_there():
    found = load("http://127.0.0.1:9", *SOON)
    assert found.exit_code == 1
    assert "127.0.0.1:9" in found.stderr
    assert load("127.0.0.1:9").exit_code == 2


def test_a_gateway_that_dies_is_counted_and_not_raised(project, start_gateway, wait_until):
    project.add(1)
    project.deploy(1, {1: 1.0})
    gateway = start_gateway()
    with Client(gateway.url) as client:
        wait_until(client.ready)
    with running(gateway.url, "--rate", "200", "--seconds", "3", "--json") as command:
        wait_until(lambda: answered(gateway.url) > 50)
        gateway.kill()
        out, _ = command.communicate(timeout=30)
    measured = json.loads(out)["measured"]
    assert command.returncode == 1
    assert measured["answered"] > 50
    assert measured["errors"]["no connection"] > 100
    assert measured["statuses"]["none"] == measured["errors"]["no connection"]


@contextlib.contextmanager
def running(url, *words):
    command = subprocess.Popen(
        [sys.executable, "-m", "setpoint", "load", url, *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=os.environ | {"PYTHONUNBUFFERED": "1"},
    )
    try:
        yield command
    finally:
        if command.poll() is None:
            command.kill()
        command.stdout.close()
        command.stderr.close()
        command.wait()


def answered(url):
    """Return how many answers a gateway has counted."""
    import urllib.request

    with urllib.request.urlopen(url + "/metrics", timeout=5) as answer:  # noqa: S310 (our own gateway)
        lines = answer.read().decode().splitlines()
    found = [line for line in lines if line.startswith("model_predictions_total{")]
    return sum(float(line.rpartition(" ")[2]) for line in found)


def test_ctrl_c_reports_what_was_measured_so_far(url, wait_until):
    started = time.perf_counter()
    with running(url, "--rate", "200", "--seconds", "600", "--json") as command:
        wait_until(lambda: answered(url) > 100)
        command.send_signal(signal.SIGINT)
        out, errors = command.communicate(timeout=20)
    told = json.loads(out)
    assert time.perf_counter() - started < 30
    assert (command.returncode, errors) == (3, b"")
    assert told["measured"]["interrupted"]
    assert told["measured"]["answered"] > 100
    assert told["measured"]["elapsed_s"] < 30


def test_people_see_the_numbers(url):
    found = load(url, *SOON)
    for words in (
        "churn: 10,000 different rows, made up",
        "100 requests in ",
        "p99.9 ",
        "version 1: ",
    ):
        assert words in found.stdout
    assert "rate kept" in found.stdout
