"""The floor as a server: with the row as a list, which the goals are held against, and with named values."""

import json
import sys
from pathlib import Path

from benchmarks.serving import floor, rows
from benchmarks.serving.bundles import ROW, Trained
from benchmarks.serving.floor_model import write_floor_model
from benchmarks.serving.server import Server, spare_port

FLOOR = "floor"
NAMED = "floor, named values"


def floors(trained: Trained) -> list[Server]:
    """Return both floors."""
    model = write_floor_model(trained, trained.project / "floor.onnx")
    return [_floor(NAMED, model, rows.flat(ROW), "named"), _floor(FLOOR, model, rows.listed(ROW))]


def _floor(name: str, model: Path, body: bytes, *more: str) -> Server:
    port = spare_port()
    return Server(
        name=name,
        command=(sys.executable, floor.__file__, str(model), str(port), *more),
        url=f"http://127.0.0.1:{port}/",
        body=body,
        read=lambda content: float(json.loads(content)["probability"]),
    )
