"""Which HTTP server the gateway stands on: uvicorn against granian against no framework at all.

    python -m benchmarks.serving.server_choice [--quick]

Each answers an echo, and a row of 30 numbers through an ONNX forest, with one worker on core 0 (wrk on core 1), then
with two workers on both cores, which wrk shares. The figures stand in docs/adr/0018.
"""

import argparse
import tempfile
from pathlib import Path

from benchmarks.serving.bundles import ROW, train_bundle
from benchmarks.serving.environments import CACHE, environment, variables
from benchmarks.serving.floor_model import write_floor_model
from benchmarks.serving.load import NoGeneratorError, require_wrk
from benchmarks.serving.rows import listed
from benchmarks.serving.server import Server, spare_port
from benchmarks.serving.turns import Figure, Plan, figures, measure

SERVERS = ("uvicorn", "granian-asgi", "granian-rsgi", "protocol")
REQUIREMENTS = (
    "uvicorn==0.54.0",
    "uvloop==0.23.0",
    "httptools==0.9.0",
    "granian==2.8.7",
    "msgspec==0.22.0",
    "numpy==2.4.6",
    "onnxruntime==1.31.1",
)
_HERE = Path(__file__).parent


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="The gateway's HTTP server: what was measured.")
    parser.add_argument("--quick", action="store_true", help="runs of 1 s, 3 turns")
    parser.add_argument("--cache", type=Path, default=CACHE, help=f"environments [{CACHE}]")
    asked = parser.parse_args()
    try:
        require_wrk()
    except NoGeneratorError as error:
        parser.exit(1, f"{error}\n")
    plan = Plan(3, 1.0, (1, 64)) if asked.quick else Plan(5, 2.0, (1, 64))
    folder = environment(asked.cache, "http-servers", REQUIREMENTS)
    with tempfile.TemporaryDirectory() as name:
        trained = train_bundle(Path(name), "forest")
        model = write_floor_model(trained, Path(name) / "floor.onnx")
        for content in ("echo", "onnx"):
            for workers in (1, 2):
                servers = [_server(one, content, model, workers, folder) for one in SERVERS]
                print(f"{content}, {workers} worker{'s' * (workers > 1)}")
                _show(figures(measure(servers, plan)))


def _server(name: str, content: str, model: Path, workers: int, folder: Path) -> Server:
    port = spare_port()
    script = _HERE / "bare.py"
    words = (name, content, str(model), str(port), str(workers))
    return Server(
        name=name,
        command=(str(folder / "bin" / "python"), str(script), *words),
        url=f"http://127.0.0.1:{port}/",
        body=listed(ROW),
        environment=variables(folder),
        cores="0" if workers == 1 else "0,1",
    )


def _show(found: list[Figure]) -> None:
    print(
        "| server | connections | answers/s (low-high) | p50 ms | p99 ms | cpu µs | errors | others |"
    )
    print("|---|---|---|---|---|---|---|---|")
    for one in found:
        print(
            f"| {one.server} | {one.connections} | {one.rate:,.0f} ({one.low:,.0f}-{one.high:,.0f}) "
            f"| {one.p50_ms:.3f} | {one.p99_ms:.2f} | {one.cpu_us:.1f} | {one.errors} | {one.others:.2f} |"
        )


if __name__ == "__main__":
    main()
