"""`setpoint gateway`: a gateway of one process or several."""

from pathlib import Path
from typing import Annotated

import typer


def gateway(
    deployment: Annotated[
        Path | None,
        typer.Option(help="Deployment document to follow [.setpoint/deployment.json]."),
    ] = None,
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
        Path | None,
        typer.Option(help="Prediction log [log.db beside the document; none with --bundle]."),
    ] = None,
    native: Annotated[
        bool, typer.Option("--native", help="With --bundle: load a pickle. It is code; trust it.")
    ] = False,
    workers: Annotated[
        int, typer.Option(min=1, max=256, help="Processes that answer on the port.")
    ] = 1,
    keys: Annotated[
        Path | None, typer.Option(help="File of API keys, by setpoint keys add [anybody may ask].")
    ] = None,
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
    parent: Annotated[int, typer.Option(hidden=True, help="Stop when this process is gone.")] = 0,
) -> None:
    """Answer predictions over HTTP, following the deployment document, until stopped."""
    from setpoint.cli.failure import refusals
    from setpoint.settings import read_log_key, read_tracing
    from setpoint.wiring.gateway import GatewayPlan, run_gateway

    if deployment is None and bundle is None:
        deployment = Path(".setpoint") / "deployment.json"
    with refusals():
        run_gateway(
            GatewayPlan(
                deployment,
                bundle,
                host,
                port,
                log,
                native,
                parent,
                workers=workers,
                keys=keys,
                certificate=tls_cert,
                private_key=tls_key,
                log_key=read_log_key(),
                grpc_port=grpc_port,
                access_log=access_log,
                tracing=read_tracing(),
            )
        )
