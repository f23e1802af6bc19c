"""The gateway as users start it: `setpoint gateway` on a deployment document, one worker, everything on."""

import json
import sys

from benchmarks.serving import rows
from benchmarks.serving.bundles import ROW, Trained
from benchmarks.serving.server import Server, spare_port


def gateways(trained: Trained) -> list[Server]:
    """Return the gateway in both promises of the log and both shapes of request."""
    return [
        _gateway(trained, "durable", "flat"),  # beside the floor, with which its p99 is compared
        _gateway(trained, "buffered", "flat"),
        _gateway(trained, "buffered", "oip"),
        _gateway(trained, "durable", "oip"),
    ]


def _gateway(trained: Trained, log: str, shape: str) -> Server:
    port = spare_port()
    words = ("--deployment", str(trained.deployment(log)), "--port", str(port))
    flat = shape == "flat"
    path = "predict" if flat else "v2/models/bench/infer"
    return Server(
        name=f"setpoint {log} {shape}",
        command=(sys.executable, "-m", "setpoint", "gateway", *words),
        url=f"http://127.0.0.1:{port}/{path}",
        body=rows.flat(ROW) if flat else rows.tensor(ROW),
        read=_read_flat if flat else _read_oip,
        cwd=trained.project,
    )


def _read_flat(content: bytes) -> float:
    return float(json.loads(content)["probability"])


def _read_oip(content: bytes) -> float:
    outputs = {output["name"]: output["data"] for output in json.loads(content)["outputs"]}
    return float(outputs["probability"][1])
