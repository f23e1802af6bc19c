"""What one gateway process is to be."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from setpoint.adapters.web_address import WebAddress
from setpoint.errors import UsageError
from setpoint.facts.token_rule import TokenRule
from setpoint.gateway.limits import Limits
from setpoint.settings import LogSettings, Tracing

_SHORTEST_PAUSE_S = 0.05


@dataclass(frozen=True)
class Drain:
    """How a gateway stops at SIGTERM.

    Args:
        delay_s: Seconds in which it goes on taking requests, unready, while load balancers take note of that.
        most_s: Seconds that requests which have arrived may take then.
    """

    delay_s: float = 0.0
    most_s: float = 20.0


@dataclass(frozen=True)
class RemotePlan:
    """A deployment document at a URL.

    Args:
        address: The URL.
        folder: Folder of this machine for bundles that are fetched, and for the log where none is named.
        token: Bearer token for its server; empty for none.
        every_s: Seconds between two looks.
    """

    address: WebAddress
    folder: Path
    token: str = field(default="", repr=False)
    every_s: float = 1.0

    def __post_init__(self) -> None:
        """Refuse what would tell secrets, or ask without end.

        Raises:
            UsageError: Credentials for plain http, two of them at once, or no pause between two looks.
        """
        if (self.token or self.address.authorization) and not self.address.is_private:
            msg = f"{self.address} is plain http: whoever is on the way would read its token or password; use https"
            raise UsageError(msg)
        if self.token and self.address.authorization:
            msg = f"{self.address} comes with a user and password, and SETPOINT_DEPLOYMENT_TOKEN is set: leave one out"
            raise UsageError(msg)
        if not self.every_s >= _SHORTEST_PAUSE_S:
            msg = f"--poll {self.every_s:g}: {_SHORTEST_PAUSE_S:g} seconds or more"
            raise UsageError(msg)


@dataclass(frozen=True)
class GatewayPlan:
    """What one gateway process is to be.

    Args:
        deployment: The deployment document to follow, in a file or at a URL; None where `bundle` is given.
        bundle: One bundle to serve alone; None where `deployment` is given.
        model: Name of the model that a document in a file must be of; empty for any.
        host: Address to listen on.
        port: Port to listen on; 0 takes a spare one.
        log: The prediction log: a file, or an address of PostgreSQL or of an object store. Where nobody says, it is as
            `told_log` says, or `log.db` beside the deployment document; none for a lone bundle.
        native: Whether a lone bundle may be a pickle; a deployment document says so itself.
        parent: Process that it stops with; 0 for none.
        limits: What it takes on, where no deployment document says otherwise.
        drain: How it stops.
        workers: Processes that answer on the port.
        keys: File of API keys; None where there are none.
        oidc: What tokens must be; None where none are taken. Without keys and tokens anybody may ask.
        certificate: File of the TLS certificate, with its chain; None for plain HTTP.
        private_key: File of its private key; None where the certificate's file holds it.
        told_log: What the environment says of the prediction log.
        log_key: What the log hashes columns with; empty for a salt beside the log.
        access_log: File of the access log, or `stdout`; empty for none.
        tracing: Which requests are traced, and where spans go; None where none are.
        grpc_port: Port to answer gRPC on beside HTTP, 0 for a spare one; None for HTTP alone.
    """

    deployment: Path | RemotePlan | None = None
    bundle: Path | None = None
    host: str = "127.0.0.1"
    port: int = 8080
    log: Path | str | None = field(default=None, repr=False)
    native: bool = False
    parent: int = 0
    limits: Limits = field(default_factory=Limits)
    drain: Drain = field(default_factory=Drain)
    workers: int = 1
    keys: Path | None = None
    oidc: TokenRule | None = None
    certificate: Path | None = None
    private_key: Path | None = None
    told_log: LogSettings = field(default_factory=LogSettings)
    log_key: str = field(default="", repr=False)
    access_log: str = ""
    tracing: Tracing | None = None
    grpc_port: int | None = None
    model: str = ""


def plan_tokens(issuer: str, audiences: Sequence[str], scopes_claim: str) -> TokenRule | None:
    """Return what tokens must be; None where no issuer is named.

    Args:
        issuer: Whose tokens are taken; empty for nobody's.
        audiences: Whom they must be for.
        scopes_claim: Claim that holds their scopes; empty for the usual one.

    Raises:
        UsageError: Nothing says whom tokens must be for, or whose.
    """
    if not issuer:
        if audiences or scopes_claim:
            raise UsageError("--oidc-audience and --oidc-scopes-claim need --oidc-issuer")
        return None
    if not audiences:
        msg = "--oidc-issuer needs --oidc-audience: without it, tokens for anybody's service would be taken here"
        raise UsageError(msg)
    return TokenRule(issuer, tuple(audiences), scopes_claim or "scope")


def plan_remote(text: str, folder: Path, token: str, every_s: float) -> RemotePlan:
    """Return the plan for a deployment document at a URL.

    Args:
        text: The URL.
        folder: Folder of this machine for what is fetched and logged.
        token: Bearer token for its server; empty for none.
        every_s: Seconds between two looks.

    Raises:
        UsageError: It is no http or https address, or secrets would be told.
    """
    return RemotePlan(WebAddress.parse(text, "--deployment"), folder, token, every_s)
