"""Tests of the options by which a gateway's limits and its end are set."""

import pytest
import typer
from typer.testing import CliRunner

from setpoint.cli.gateway import gateway
from setpoint.gateway.limits import Limits
from setpoint.wiring import gateway as wiring
from setpoint.wiring.gateway_plan import Drain


@pytest.fixture
def run(monkeypatch):
    """Run the command, and return its exit code, error output and plan."""
    plans = []
    monkeypatch.setattr(wiring, "run_gateway", plans.append)
    app = typer.Typer()
    app.command()(gateway)

    def ran(*arguments):
        found = CliRunner().invoke(app, ["--bundle", "b", *arguments])
        return found.exit_code, found.stderr, plans.pop() if plans else None

    return ran


def test_options_that_are_not_given_leave_what_gateways_have_by_default(run):
    _, _, plan = run()
    assert plan.limits == Limits()
    assert plan.drain == Drain()


def test_limits_and_end_are_set_by_options(run):
    limits = ("--max-body", "5000", "--max-rows", "6", "--max-requests", "7", "--max-queue", "8")
    _, _, plan = run(*limits, "--deadline", "0.5", "--drain-delay", "10", "--drain", "15")
    assert plan.limits == Limits(body=5_000, rows=6, requests=7, queue=8, deadline_s=0.5)
    assert plan.drain == Drain(delay_s=10.0, most_s=15.0)


@pytest.mark.parametrize(
    "arguments",
    [
        ("--max-body", "10"),
        ("--max-rows", "0"),
        ("--max-requests", "-1"),
        ("--max-queue", "0"),
        ("--deadline", "0"),
        ("--deadline", "nan"),
        ("--drain", "-1"),
        ("--drain-delay", "-1"),
    ],
)
def test_absurd_options_are_refused_before_anything_starts(run, arguments):
    code, said, plan = run(*arguments)
    assert code == 2
    assert plan is None
    assert arguments[0].removeprefix("--max-") in said or "deadline_s" in said
