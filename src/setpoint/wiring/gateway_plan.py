"""What one gateway process is to be."""

from dataclasses import dataclass, field
from pathlib import Path

from setpoint.facts.token_rule import TokenRule
from setpoint.gateway.limits import Limits
from setpoint.settings import Tracing


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
class GatewayPlan:
    """What one gateway process is to be.

    Args:
        deployment: The deployment document to follow; None where `bundle` is given.
        bundle: One bundle to serve alone; None where `deployment` is given.
        host: Address to listen on.
        port: Port to listen on; 0 takes a spare one.
        log: File of the prediction log. By default `log.db` beside the deployment document; none for a lone bundle.
        native: Whether a lone bundle may be a pickle; a deployment document says so itself.
        parent: Process that it stops with; 0 for none.
        limits: What it takes on, where no deployment document says otherwise.
        drain: How it stops.
        workers: Processes that answer on the port.
        keys: File of API keys; None where there are none.
        oidc: What tokens must be; None where none are taken. Without keys and tokens anybody may ask.
        certificate: File of the TLS certificate, with its chain; None for plain HTTP.
        private_key: File of its private key; None where the certificate's file holds it.
        log_key: What the log hashes columns with; empty for a salt beside the log.
        access_log: File of the access log, or `stdout`; empty for none.
        tracing: Which requests are traced, and where spans go; None where none are.
        grpc_port: Port to answer gRPC on beside HTTP, 0 for a spare one; None for HTTP alone.
    """

    deployment: Path | None = None
    bundle: Path | None = None
    host: str = "127.0.0.1"
    port: int = 8080
    log: Path | None = None
    native: bool = False
    parent: int = 0
    limits: Limits = field(default_factory=Limits)
    drain: Drain = field(default_factory=Drain)
    workers: int = 1
    keys: Path | None = None
    oidc: TokenRule | None = None
    certificate: Path | None = None
    private_key: Path | None = None
    log_key: str = field(default="", repr=False)
    access_log: str = ""
    tracing: Tracing | None = None
    grpc_port: int | None = None
