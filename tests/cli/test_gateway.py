"""Tests of `setpoint gateway`."""

from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from setpoint.cli.gateway import gateway
from setpoint.wiring import gateway as wiring
from setpoint.wiring.gateway_plan import GatewayPlan


@pytest.fixture
def planned(monkeypatch):
    plans = []
    monkeypatch.setattr(wiring, "run_gateway", plans.append)
    return plans


def run(*arguments):
    app = typer.Typer()
    app.command()(gateway)
    return CliRunner().invoke(app, arguments)


@pytest.mark.parametrize(
    ("arguments", "plan"),
    [
        ((), GatewayPlan(deployment=Path(".setpoint/deployment.json"))),
        (("--deployment", "d.json", "--port", "0"), GatewayPlan(deployment=Path("d.json"), port=0)),
        (
            ("--bundle", "b", "--native", "--host", "0.0.0.0", "--log", "l.db"),  # noqa: S104 (a flag's text)
            GatewayPlan(bundle=Path("b"), native=True, host="0.0.0.0", log=Path("l.db")),  # noqa: S104 (the same)
        ),
    ],
)
def test_flags_become_the_plan(planned, arguments, plan):
    assert run(*arguments).exit_code == 0
    assert planned == [plan]
