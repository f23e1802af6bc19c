"""`setpoint gateway`: a gateway of one process or several."""

from pathlib import Path
from typing import Annotated

import typer


def gateway(
    deployment: Annotated[
        str | None,
        typer.Option(metavar="FILE|URL", help="Deployment document to follow [the project's]."),
    ] = None,
    model: Annotated[
        str,
        typer.Option(
            metavar="NAME", help="What the project's state says of this model [its model]."
        ),
    ] = "",
    bundle: Annotated[Path | None, typer.Option(help="Serve this one bundle alone.")] = None,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on; 0 takes a spare one.")] = 8080,
    grpc_port: Annotated[
        int | None,
        typer.Option(
            help="Answer gRPC there too (Open Inference Protocol); 0: a spare port [off]."
        ),
    ] = None,
    log: Annotated[
        str,
        typer.Option(
            metavar="FILE|URL",
            help="Prediction log: a file, postgresql://… or s3://… "
            "[SETPOINT_LOG_URL, or log.db beside the document; none with --bundle].",
        ),
    ] = "",
    native: Annotated[
        bool, typer.Option("--native", help="With --bundle: load a pickle. It is code; trust it.")
    ] = False,
    workers: Annotated[
        int, typer.Option(min=1, max=256, help="Processes that answer on the port.")
    ] = 1,
    poll: Annotated[
        float, typer.Option(help="Seconds between two looks at a document's URL.")
    ] = 1.0,
    keys: Annotated[
        Path | None, typer.Option(help="File of API keys, by setpoint keys add [anybody may ask].")
    ] = None,
    oidc_issuer: Annotated[
        str,
        typer.Option(
            metavar="URL", help="Take bearer tokens of this issuer [SETPOINT_OIDC_ISSUER]."
        ),
    ] = "",
    oidc_audience: Annotated[
        list[str] | None,
        typer.Option(metavar="TEXT", help="Whom tokens must be for [SETPOINT_OIDC_AUDIENCE]."),
    ] = None,
    oidc_scopes_claim: Annotated[
        str,
        typer.Option(
            metavar="NAME", help="Their claim with scopes [SETPOINT_OIDC_SCOPES_CLAIM, or scope]."
        ),
    ] = "",
    tls_cert: Annotated[
        Path | None, typer.Option(help="TLS certificate with its chain, PEM [plain HTTP].")
    ] = None,
    tls_key: Annotated[
        Path | None, typer.Option(help="Its private key, PEM [in the certificate's file].")
    ] = None,
    access_log: Annotated[
        str,
        typer.Option(
            metavar="FILE", help="One line of JSON for each request, to a file or stdout [none]."
        ),
    ] = "",
    max_body: Annotated[int, typer.Option(help="Bytes of a request's body.")] = 1_000_000,
    max_rows: Annotated[int, typer.Option(help="Rows of a request.")] = 1_000,
    max_requests: Annotated[int, typer.Option(help="Requests answered at once; else 429.")] = 2_000,
    max_queue: Annotated[
        int, typer.Option(help="Rows that may wait for a model; else 429.")
    ] = 10_000,
    deadline: Annotated[
        float, typer.Option(help="Seconds after which a request that still waits is told 504.")
    ] = 30.0,
    drain_delay: Annotated[
        float,
        typer.Option(
            min=0.0, help="Seconds to go on taking requests after SIGTERM, while /readyz says 503."
        ),
    ] = 0.0,
    drain: Annotated[
        float, typer.Option(min=0.0, help="Seconds that requests which have arrived may take then.")
    ] = 20.0,
    parent: Annotated[int, typer.Option(hidden=True, help="Stop when this process is gone.")] = 0,
) -> None:
    """Answer predictions over HTTP, following the deployment document, until stopped."""
    from setpoint.cli.failure import refusals
    from setpoint.gateway.limits import Limits
    from setpoint.settings import read_gateway_settings, read_tracing
    from setpoint.wiring.gateway import run_gateway
    from setpoint.wiring.gateway_choice import Choice, choose_document
    from setpoint.wiring.gateway_plan import Drain, GatewayPlan, plan_tokens

    def tell(line: str) -> None:
        typer.echo(f"setpoint gateway: {line}", err=True)

    with refusals():
        limits = Limits(max_body, max_rows, max_requests, max_queue, deadline)
        limits.require_sound()
        settings = read_gateway_settings()
        choice = Choice(deployment or "", model, bundle, settings.deployment_token, poll)
        run_gateway(
            GatewayPlan(
                choose_document(choice, Path.cwd(), settings.store, tell),
                bundle,
                host,
                port,
                log or None,
                native,
                parent,
                limits,
                drain=Drain(drain_delay, drain),
                workers=workers,
                keys=keys,
                oidc=plan_tokens(
                    oidc_issuer or settings.oidc_issuer,
                    oidc_audience or settings.oidc_audiences,
                    oidc_scopes_claim or settings.oidc_scopes_claim,
                ),
                certificate=tls_cert,
                private_key=tls_key,
                told_log=settings.log,
                log_key=settings.log_key,
                grpc_port=grpc_port,
                access_log=access_log,
                tracing=read_tracing(),
                model=model,
            )
        )
