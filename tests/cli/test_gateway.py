"""Tests of `setpoint gateway`: what its options come to, and which exclude each other."""

from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from setpoint.adapters.web_address import WebAddress
from setpoint.cli.gateway import gateway
from setpoint.facts.token_rule import TokenRule
from setpoint.settings import LogSettings
from setpoint.wiring import gateway as wiring
from setpoint.wiring.gateway_plan import GatewayPlan, RemotePlan

URL = "https://ann:hunter2@store.example/churn/deployment.json"


@pytest.fixture
def planned(monkeypatch, tmp_path):
    plans = []
    monkeypatch.setattr(wiring, "run_gateway", plans.append)
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".setpoint").mkdir()
    return plans


def run(*arguments, **env):
    app = typer.Typer()
    app.command()(gateway)
    return CliRunner().invoke(app, arguments, env=env)


@pytest.mark.parametrize(
    ("arguments", "plan"),
    [
        (("--deployment", "d.json", "--port", "0"), GatewayPlan(deployment=Path("d.json"), port=0)),
        (
            ("--bundle", "b", "--native", "--host", "0.0.0.0"),  # noqa: S104 (a flag's text)
            GatewayPlan(bundle=Path("b"), native=True, host="0.0.0.0"),  # noqa: S104 (the same)
        ),
    ],
)
def test_flags_become_the_plan(planned, arguments, plan):
    assert run(*arguments).exit_code == 0
    assert planned == [plan]


def test_without_a_source_it_is_the_project_s(planned, tmp_path):
    document = tmp_path / ".setpoint" / "deployment.json"
    assert run().exit_code == 0
    assert run("--model", "churn").exit_code == 0
    assert planned == [
        GatewayPlan(deployment=document),
        GatewayPlan(deployment=document, model="churn"),
    ]


def test_url_is_followed_with_a_folder_for_what_it_names(planned, tmp_path):
    assert run("--deployment", URL, "--poll", "5").exit_code == 0
    address = WebAddress.parse(URL, "it")
    (plan,) = planned
    assert plan.deployment == RemotePlan(address, tmp_path / ".setpoint" / "remote", "", 5.0)
    assert "hunter2" not in repr(plan)


def test_token_for_a_url_comes_from_the_environment_and_is_in_no_text(planned):
    url = "https://store.example/d.json"
    assert run("--deployment", url, SETPOINT_DEPLOYMENT_TOKEN="s3cret").exit_code == 0  # noqa: S106 (a test's)
    assert planned[0].deployment.token == "s3cret"  # noqa: S105 (the same)
    assert "s3cret" not in repr(planned[0])


@pytest.mark.parametrize(
    ("arguments", "env", "reason"),
    [
        (("--model", "m", "--bundle", "b"), {}, "--model and --bundle exclude each other"),
        (("--deployment", "d", "--model", "m"), {}, "--deployment and --model exclude each other"),
        (("--deployment", "ftp://h/d"), {}, "--deployment is no http:// or https:// address"),
        (("--deployment", "https://h/d", "--poll", "0"), {}, "--poll 0: 0.05 seconds or more"),
        (("--deployment", "https://h/d", "--poll", "nan"), {}, "--poll nan: 0.05 seconds or more"),
        (
            ("--deployment", "http://h/d"),
            {"SETPOINT_DEPLOYMENT_TOKEN": "s3cret"},
            "http://h/d is plain http",
        ),
        (("--deployment", "http://u:hunter2@h/d"), {}, "http://h/d is plain http"),
        (("--deployment", URL), {"SETPOINT_DEPLOYMENT_TOKEN": "s3cret"}, "leave one out"),
        (("--bundle", "b", "--oidc-issuer", "https://i"), {}, "needs --oidc-audience"),
        (("--bundle", "b", "--oidc-audience", "a"), {}, "need --oidc-issuer"),
        (("--bundle", "b"), {"SETPOINT_OIDC_ISSUER": "https://i"}, "needs --oidc-audience"),
    ],
)
def test_what_makes_no_sense_is_refused(planned, arguments, env, reason):
    found = run(*arguments, **env)
    assert (found.exit_code, planned) == (2, [])
    assert reason in found.stderr
    assert "hunter2" not in found.output
    assert "s3cret" not in found.output


def test_tokens_come_from_options_and_the_environment(planned):
    env = {"SETPOINT_OIDC_ISSUER": "https://i", "SETPOINT_OIDC_AUDIENCE": "a b"}
    assert run("--bundle", "b", **env).exit_code == 0
    words = ("--oidc-issuer", "https://j", "--oidc-audience", "c", "--oidc-audience", "d")
    assert run("--bundle", "b", *words, "--oidc-scopes-claim", "scp", **env).exit_code == 0
    assert [plan.oidc for plan in planned] == [
        TokenRule("https://i", ("a", "b")),
        TokenRule("https://j", ("c", "d"), "scp"),
    ]


def test_log_is_a_file_or_an_address_and_no_password_is_in_any_text(planned):
    url = "postgresql://me:hunter2@host/d"
    assert run("--bundle", "b", "--log", "l.db").exit_code == 0
    assert run("--bundle", "b", "--log", url, SETPOINT_DATABASE_URL=url).exit_code == 0
    assert [plan.log for plan in planned] == ["l.db", url]
    assert planned[1].told_log == LogSettings(database_url=url)
    assert "hunter2" not in repr(planned)
