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
    parent: Annotated[int, typer.Option(hidden=True, help="Stop when this process is gone.")] = 0,
) -> None:
    """Answer predictions over HTTP, following the deployment document, until stopped."""
    from setpoint.wiring.gateway import GatewayPlan, run_gateway

    if deployment is None and bundle is None:
        deployment = Path(".setpoint") / "deployment.json"
    plan = GatewayPlan(deployment, bundle, host, port, log, native, parent, workers=workers)
    run_gateway(plan)
