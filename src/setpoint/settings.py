"""Settings: the environment, read once into one frozen object. Rooms get its values, never the object.

| variable | means | default |
|---|---|---|
| `SETPOINT_STORE` | folder that everything is kept in | `.setpoint` in the project |
| `SETPOINT_DATABASE_URL` | database of state and ledger, as an SQLAlchemy URL | `state.db` in the store |
| `MLFLOW_TRACKING_URI` | MLflow's runs and registry | `mlflow.db` in the store |
| `SETPOINT_LOG_URL` | the prediction log: file, `postgresql://…`, `s3://…` | with state if in PostgreSQL, or `log.db` |
| `SETPOINT_LOG_FILES` | where past hours of the log go as Parquet files: a folder or `s3://…` | beside the log's file |
| `SETPOINT_LOG_KEEP` | how long `setpoint up` keeps answers, such as `90d` | for ever |
| `SETPOINT_LOG_KEY` | what the prediction log hashes columns with, 16 characters or more | `log.salt` in the store |
| `SETPOINT_OIDC_ISSUER` | whose tokens a gateway takes | none |
| `SETPOINT_OIDC_AUDIENCE` | whom they must be for; several with blanks between them | needed with an issuer |
| `SETPOINT_OIDC_SCOPES_CLAIM` | claim of a token that holds its scopes | `scope` |
| `SETPOINT_DEPLOYMENT_TOKEN` | bearer token for a deployment document at a URL | none |
| `SETPOINT_LOG_LEVEL` | `debug`, `info`, `warning` or `error` | `warning` |

A gateway makes traces where OpenTelemetry's own variables ask for them: `read_tracing` says which it reads.

Any other variable that begins with `SETPOINT_` is an error, unless the contract names it (as in
`${SETPOINT_SLACK_URL}`): a misspelt setting must not pass silently.
"""

import difflib
import math
import os
import re
from collections.abc import Collection, Mapping, MutableMapping
from dataclasses import dataclass, field
from pathlib import Path

from setpoint.errors import UsageError

_PREFIX = "SETPOINT_"
_VARIABLE = re.compile(r"\$\{(\w+)")
_STORE = "SETPOINT_STORE"
_DATABASE = "SETPOINT_DATABASE_URL"
_TRACKING = "MLFLOW_TRACKING_URI"
_LEVEL = "SETPOINT_LOG_LEVEL"
_LOG_URL = "SETPOINT_LOG_URL"
_LOG_FILES = "SETPOINT_LOG_FILES"
_LOG_KEEP = "SETPOINT_LOG_KEEP"
_LOG_KEY = "SETPOINT_LOG_KEY"
_OIDC_ISSUER = "SETPOINT_OIDC_ISSUER"
_OIDC_AUDIENCE = "SETPOINT_OIDC_AUDIENCE"
_OIDC_SCOPES = "SETPOINT_OIDC_SCOPES_CLAIM"
_DEPLOYMENT_TOKEN = "SETPOINT_DEPLOYMENT_TOKEN"  # noqa: S105 (the variable's name)
_LOG = (_LOG_URL, _LOG_FILES, _LOG_KEEP, _LOG_KEY)
_GATEWAY = (*_LOG, _OIDC_ISSUER, _OIDC_AUDIENCE, _OIDC_SCOPES, _DEPLOYMENT_TOKEN)
_KNOWN = (_STORE, _DATABASE, *_GATEWAY, _LEVEL)
_SHORTEST_KEY = 16  # characters
_SAMPLERS: Mapping[str, float | None] = {"always_on": 1.0, "always_off": 0.0, "traceidratio": None}
_LEVELS = ("debug", "info", "warning", "error")

FOREIGN: Mapping[str, str] = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "true",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "3",  # its own 7 let a dead server hold a pass for minutes
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "30",  # seconds
}
"""What libraries of others read from the environment: no telemetry, no chatter, no endless waits."""


@dataclass(frozen=True)
class LogSettings:
    """Where the prediction log is said to be. An address may hold a password: it is in no text.

    Args:
        url: A file, or an address of PostgreSQL or of an object store; empty where nobody said.
        files: Where past hours go: a folder, or an address of an object store; empty where nobody said.
        database_url: Database of state and ledger; empty for SQLite in the store.
        keep: How long answers are kept, such as `90d`; empty for ever.
    """

    url: str = field(default="", repr=False)
    files: str = ""
    database_url: str = field(default="", repr=False)
    keep: str = ""


@dataclass(frozen=True)
class Settings:
    """What the environment says, with its defaults.

    What is or may hold a secret (`database_url`, `tracking_uri`, `log_key`) is left out of the object's text.

    Args:
        store: Folder that everything is kept in, absolute.
        database_url: SQLAlchemy URL of state and ledger; empty for SQLite in the store.
        tracking_uri: MLflow's tracking URI; empty for SQLite in the store.
        log: Where the prediction log is said to be.
        log_key: What the prediction log hashes columns with; empty for a salt beside the log.
        log_level: `debug`, `info`, `warning` or `error`.
    """

    store: Path
    database_url: str = field(default="", repr=False)
    tracking_uri: str = field(default="", repr=False)
    log: LogSettings = field(default_factory=LogSettings)
    log_key: str = field(default="", repr=False)
    log_level: str = "warning"

    @property
    def database(self) -> Path | str:
        """Where state and ledger are: a SQLite file, or an SQLAlchemy URL."""
        return self.database_url or self.store / "state.db"

    @property
    def tracking(self) -> str:
        """MLflow's tracking URI."""
        # Only what would end or alter the path within a URL: MLflow shows the rest to people as it is.
        file = str(self.store / "mlflow.db").replace("%", "%25").replace("?", "%3F")
        return self.tracking_uri or f"sqlite:///{file}"

    @property
    def artifacts(self) -> Path | None:
        """Folder for MLflow's artifacts; None where a store of the team's decides."""
        return None if self.tracking_uri else self.store / "mlartifacts"


def read_settings(
    project: Path, environment: Mapping[str, str] | None = None, *, named: Collection[str] = ()
) -> Settings:
    """Return the settings for a project.

    Args:
        project: Folder of the project; a relative store lies in it.
        environment: Variables by name; None means those of this process.
        named: Further variables that may begin with `SETPOINT_`, because the contract names them.

    Raises:
        UsageError: A variable is unknown or says something impossible; every problem is named at once.
    """
    variables = os.environ if environment is None else environment
    problems = _unknown(variables, named)
    store = variables.get(_STORE, "").strip()
    if "://" in store:
        problems.append(f"{_STORE} is a folder, not a URL: {store.partition('://')[0]}://…")
    level = (variables.get(_LEVEL, "").strip() or "warning").lower()
    if level not in _LEVELS:
        problems.append(f"{_LEVEL} is one of {', '.join(_LEVELS)}; found {level!r}")
    key = variables.get(_LOG_KEY, "")
    problems += _weak(key)
    if problems:
        raise UsageError("\n".join(problems))
    return Settings(
        store=_store(project, variables),
        database_url=variables.get(_DATABASE, "").strip(),
        tracking_uri=variables.get(_TRACKING, "").strip(),
        log=_read_log(variables),
        log_key=key,
        log_level=level,
    )


def read_log_key(environment: Mapping[str, str] | None = None) -> str:
    """Return what the prediction log hashes columns with, for a process without a contract; empty where nothing is set.

    Args:
        environment: Variables by name; None means those of this process.

    Raises:
        UsageError: The key is too short.
    """
    variables = os.environ if environment is None else environment
    key = variables.get(_LOG_KEY, "")
    if problems := _weak(key):
        raise UsageError(problems[0])
    return key


@dataclass(frozen=True)
class GatewaySettings:
    """What the environment says to a gateway, which may run where there is no project. Secrets are in no text.

    Args:
        store: Folder that everything is kept in.
        log: Where the prediction log is said to be.
        log_key: What the prediction log hashes columns with; empty for a salt beside the log.
        oidc_issuer: Whose tokens are taken; empty for nobody's.
        oidc_audiences: Whom tokens must be for.
        oidc_scopes_claim: Claim that holds scopes; empty for the usual one.
        deployment_token: Bearer token for a deployment document at a URL; empty for none.
    """

    store: Path = Path(".setpoint")
    log: LogSettings = field(default_factory=LogSettings)
    log_key: str = field(default="", repr=False)
    oidc_issuer: str = ""
    oidc_audiences: tuple[str, ...] = ()
    oidc_scopes_claim: str = ""
    deployment_token: str = field(default="", repr=False)


def read_gateway_settings(environment: Mapping[str, str] | None = None) -> GatewaySettings:
    """Return what the environment says to a gateway. Unknown variables pass: a cluster makes some of its own.

    Args:
        environment: Variables by name; None means those of this process.

    Raises:
        UsageError: The log's key is too short.
    """
    variables = os.environ if environment is None else environment
    return GatewaySettings(
        store=_store(Path(), variables),
        log=_read_log(variables),
        log_key=read_log_key(environment),
        oidc_issuer=variables.get(_OIDC_ISSUER, "").strip(),
        oidc_audiences=tuple(variables.get(_OIDC_AUDIENCE, "").split()),
        oidc_scopes_claim=variables.get(_OIDC_SCOPES, "").strip(),
        deployment_token=variables.get(_DEPLOYMENT_TOKEN, "").strip(),
    )


@dataclass(frozen=True)
class Tracing:
    """Which requests are traced, and where spans go.

    Args:
        exporter: `otlp` or `console`.
        share: Share of traces that are sampled, 0 to 1.
        parent_based: Whether the caller's decision holds where there is a caller.
    """

    exporter: str = "otlp"
    share: float = 1.0
    parent_based: bool = True


def read_tracing(environment: Mapping[str, str] | None = None) -> Tracing | None:
    """Return how OpenTelemetry's variables have requests traced; None where they do not.

    | variable | means |
    |---|---|
    | `OTEL_TRACES_EXPORTER` | `otlp`, `console` or `none`; unset: `otlp` where an endpoint is set |
    | `OTEL_EXPORTER_OTLP_ENDPOINT`, `OTEL_EXPORTER_OTLP_TRACES_ENDPOINT` | the collector |
    | `OTEL_EXPORTER_OTLP_PROTOCOL`, `OTEL_EXPORTER_OTLP_TRACES_PROTOCOL` | `http/protobuf`, which is all there is |
    | `OTEL_TRACES_SAMPLER`, `OTEL_TRACES_SAMPLER_ARG` | `parentbased_always_on`, or another of the standard six |
    | `OTEL_SDK_DISABLED` | `true`: no traces, whatever the others say |

    The SDK itself reads further ones where it is used.

    Args:
        environment: Variables by name; None means those of this process.

    Raises:
        UsageError: A variable says something impossible.
    """
    variables = os.environ if environment is None else environment

    def told(*names: str) -> str:
        return next((found for name in names if (found := variables.get(name, "").strip())), "")

    endpoint = told("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
    exporter = told("OTEL_TRACES_EXPORTER") or ("otlp" if endpoint else "none")
    if exporter == "none" or told("OTEL_SDK_DISABLED").lower() == "true":
        return None
    if exporter not in ("otlp", "console"):
        msg = f"OTEL_TRACES_EXPORTER is otlp, console or none here; found {exporter!r}"
        raise UsageError(msg)
    protocol = told("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")
    if exporter == "otlp" and protocol not in ("", "http/protobuf"):
        msg = f"traces are sent by http/protobuf alone; OTEL_EXPORTER_OTLP_PROTOCOL is {protocol!r}"
        raise UsageError(msg)
    share, parent_based = _sampler(
        told("OTEL_TRACES_SAMPLER") or "parentbased_always_on", told("OTEL_TRACES_SAMPLER_ARG")
    )
    return Tracing(exporter, share, parent_based)


def _sampler(name: str, argument: str) -> tuple[float, bool]:
    """Return the share of traces that a standard sampler takes, and whether the caller's decision comes first."""
    prefix = "parentbased_"
    kind = name.removeprefix(prefix)
    if kind not in _SAMPLERS:
        names = ", ".join((*_SAMPLERS, *(prefix + one for one in _SAMPLERS)))
        msg = f"OTEL_TRACES_SAMPLER is one of {names}; found {name!r}"
        raise UsageError(msg)
    share = _SAMPLERS[kind]
    if share is None:
        try:
            share = float(argument or 1.0)
        except ValueError:
            share = math.nan
        if not 0.0 <= share <= 1.0:
            msg = f"OTEL_TRACES_SAMPLER_ARG is a share from 0 to 1; found {argument!r}"
            raise UsageError(msg)
    return share, kind != name


def variables_in(text: str) -> frozenset[str]:
    """Return the names of environment variables that a text speaks of, as in `${SETPOINT_SLACK_URL}`."""
    return frozenset(_VARIABLE.findall(text))


def quiet_foreign_libraries(environment: MutableMapping[str, str] | None = None) -> None:
    """Tell libraries of others what `FOREIGN` says, where the user has not said otherwise.

    Call it before anything is imported that imports MLflow; it reads the first of these while it is being imported.

    Args:
        environment: Variables to change; None means those of this process.
    """
    variables = os.environ if environment is None else environment
    for name, value in FOREIGN.items():
        variables.setdefault(name, value)


def _read_log(variables: Mapping[str, str]) -> LogSettings:
    return LogSettings(
        keep=variables.get(_LOG_KEEP, "").strip(),
        url=variables.get(_LOG_URL, "").strip(),
        files=variables.get(_LOG_FILES, "").strip(),
        database_url=variables.get(_DATABASE, "").strip(),
    )


def _store(folder: Path, variables: Mapping[str, str]) -> Path:
    """Return the folder that everything is kept in, absolute; a relative one lies in `folder`."""
    return (folder / Path(variables.get(_STORE, "").strip() or ".setpoint").expanduser()).resolve()


def _weak(key: str) -> list[str]:
    """Return what is wrong with a key, without the key."""
    if not key or len(key) >= _SHORTEST_KEY:
        return []
    return [f"{_LOG_KEY} needs {_SHORTEST_KEY} characters or more: short ones can be guessed"]


def _unknown(variables: Mapping[str, str], named: Collection[str]) -> list[str]:
    """Return one sentence for each variable that begins as ours do and is none of ours; never its value."""
    known = {*_KNOWN, *named}
    problems = []
    for name in sorted(variables):
        if name.startswith(_PREFIX) and name not in known:
            nearest = difflib.get_close_matches(name, sorted(known), n=1)
            hint = f" (did you mean {nearest[0]}?)" if nearest else ""
            problems.append(f"unknown setting {name}{hint}; known are {', '.join(sorted(known))}")
    return problems
