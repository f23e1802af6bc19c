"""Settings: read once, misspellings refused, secrets in no text."""

import subprocess
import sys

import pytest
from sqlalchemy.engine import make_url

from setpoint.errors import UsageError
from setpoint.settings import (
    FOREIGN,
    Tracing,
    quiet_foreign_libraries,
    read_gateway_settings,
    read_settings,
    read_tracing,
)


def test_defaults_lie_in_the_project(tmp_path):
    settings = read_settings(tmp_path, {})
    assert settings.store == tmp_path.resolve() / ".setpoint"
    assert settings.database == settings.store / "state.db"
    assert settings.tracking == f"sqlite:///{settings.store}/mlflow.db"
    assert settings.artifacts == settings.store / "mlartifacts"
    assert settings.log_level == "warning"


def test_everything_can_be_said(tmp_path):
    environment = {
        "SETPOINT_STORE": "elsewhere",
        "SETPOINT_DATABASE_URL": " postgresql://u:p@h/d ",
        "MLFLOW_TRACKING_URI": "http://mlflow:5000",
        "SETPOINT_LOG_LEVEL": "DEBUG",
        "PATH": "/bin",
    }
    settings = read_settings(tmp_path, environment)
    assert settings.store == tmp_path.resolve() / "elsewhere"
    assert settings.database == "postgresql://u:p@h/d"
    assert (settings.tracking, settings.artifacts) == ("http://mlflow:5000", None)
    assert settings.log_level == "debug"


def test_any_folder_name_makes_a_sound_url(tmp_path):
    settings = read_settings(tmp_path / "a b?c#d%20é", {})
    assert make_url(settings.tracking).database == str(settings.store / "mlflow.db")


def test_empty_variables_count_as_unset(tmp_path):
    empty = dict.fromkeys(["SETPOINT_STORE", "SETPOINT_DATABASE_URL", "SETPOINT_LOG_LEVEL"], " ")
    assert read_settings(tmp_path, empty) == read_settings(tmp_path, {})


def test_misspelt_setting_names_the_nearest_and_not_its_value(tmp_path):
    with pytest.raises(UsageError, match="did you mean SETPOINT_DATABASE_URL") as caught:
        read_settings(tmp_path, {"SETPOINT_DATABSE_URL": "postgresql://u:hunter2@h/d"})
    assert "hunter2" not in str(caught.value)


def test_all_problems_are_named_at_once(tmp_path):
    environment = {
        "SETPOINT_XYZ": "1",
        "SETPOINT_LOG_LEVEL": "loud",
        "SETPOINT_STORE": "s3://k:s@b",
    }
    with pytest.raises(UsageError) as caught:
        read_settings(tmp_path, environment)
    said = str(caught.value)
    assert "SETPOINT_XYZ" in said
    assert "'loud'" in said
    assert "SETPOINT_STORE is a folder" in said
    assert "k:s" not in said


def test_variable_that_the_contract_names_is_known(tmp_path):
    environment = {"SETPOINT_SLACK_URL": "https://hooks"}
    with pytest.raises(UsageError):
        read_settings(tmp_path, environment)
    read_settings(tmp_path, environment, named=["SETPOINT_SLACK_URL"])


def test_secrets_are_in_no_text(tmp_path):
    environment = {
        "SETPOINT_DATABASE_URL": "postgresql://u:hunter2@h/d",
        "MLFLOW_TRACKING_URI": "http://u:hunter2@h",
    }
    settings = read_settings(tmp_path, environment)
    assert "hunter2" not in f"{settings!r} {settings}"


def test_settings_cannot_be_changed(tmp_path):
    with pytest.raises(AttributeError):
        read_settings(tmp_path, {}).log_level = "debug"


def test_users_own_word_to_other_libraries_stands():
    environment = {"MLFLOW_HTTP_REQUEST_TIMEOUT": "5"}
    quiet_foreign_libraries(environment)
    assert environment["MLFLOW_HTTP_REQUEST_TIMEOUT"] == "5"
    assert environment["MLFLOW_DISABLE_TELEMETRY"] == FOREIGN["MLFLOW_DISABLE_TELEMETRY"] == "true"


def test_mlflow_reports_nothing_home():
    code = (
        "from setpoint.settings import quiet_foreign_libraries as quiet; quiet()\n"
        "from mlflow.telemetry.client import get_telemetry_client as client\n"
        "from mlflow.telemetry.utils import is_telemetry_disabled as disabled\n"
        "print(disabled(), client())"
    )
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code],
        env={"PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == ["True", "None"]


@pytest.mark.parametrize(
    ("variables", "tracing"),
    [
        ({}, None),
        ({"OTEL_TRACES_EXPORTER": "none", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://c:4318"}, None),
        ({"OTEL_SDK_DISABLED": "True", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://c:4318"}, None),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c:4318"}, Tracing("otlp", 1.0, True)),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://c/v1"}, Tracing("otlp", 1.0, True)),
        ({"OTEL_TRACES_EXPORTER": "otlp"}, Tracing("otlp", 1.0, True)),
        ({"OTEL_TRACES_EXPORTER": "console"}, Tracing("console", 1.0, True)),
        (
            {
                "OTEL_TRACES_EXPORTER": "otlp",
                "OTEL_TRACES_SAMPLER": "parentbased_traceidratio",
                "OTEL_TRACES_SAMPLER_ARG": "0.01",
            },
            Tracing("otlp", 0.01, True),
        ),
        (
            {"OTEL_TRACES_EXPORTER": "otlp", "OTEL_TRACES_SAMPLER": "always_off"},
            Tracing("otlp", 0.0, False),
        ),
        (
            {"OTEL_TRACES_EXPORTER": "otlp", "OTEL_TRACES_SAMPLER": "traceidratio"},
            Tracing("otlp", 1.0, False),
        ),
    ],
)
def test_traces_are_made_as_opentelemetrys_own_variables_say(variables, tracing):
    assert read_tracing(variables) == tracing


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("OTEL_TRACES_EXPORTER", "zipkin", "otlp, console or none"),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc", "http/protobuf alone"),
        ("OTEL_TRACES_SAMPLER", "jaeger_remote", "one of always_on"),
        ("OTEL_TRACES_SAMPLER_ARG", "7", "a share from 0 to 1"),
        ("OTEL_TRACES_SAMPLER_ARG", "much", "a share from 0 to 1"),
    ],
)
def test_impossible_wishes_for_traces_are_refused(name, value, reason):
    variables = {"OTEL_TRACES_EXPORTER": "otlp", "OTEL_TRACES_SAMPLER": "traceidratio"}
    with pytest.raises(UsageError, match=reason):
        read_tracing(variables | {name: value})


def test_gateway_s_settings_need_no_project_and_tell_no_secret(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    environment = {
        "SETPOINT_STORE": "kept",
        "SETPOINT_OIDC_ISSUER": " https://issuer.example ",
        "SETPOINT_OIDC_AUDIENCE": "a  b",
        "SETPOINT_OIDC_SCOPES_CLAIM": "scp",
        "SETPOINT_DEPLOYMENT_TOKEN": "s3cret",
        "SETPOINT_SERVICE_HOST": "10.0.0.1",  # Kubernetes makes it for a service of that name
    }
    settings = read_gateway_settings(environment)
    assert settings.store == tmp_path / "kept"
    assert (settings.oidc_issuer, settings.oidc_audiences) == ("https://issuer.example", ("a", "b"))
    assert (settings.oidc_scopes_claim, settings.deployment_token) == ("scp", "s3cret")
    assert "s3cret" not in repr(settings)
    assert read_gateway_settings({}).store == tmp_path / ".setpoint"
    known = {name: value for name, value in environment.items() if "SERVICE" not in name}
    assert read_settings(tmp_path, known).store == tmp_path / "kept"
