"""`python -m benchmarks.resilience [switches | kills | workers | system_calls | soak …] [--times N]`.

Without names all but the soak, which takes minutes as its times.
"""

import argparse
import tempfile
from collections.abc import Callable
from pathlib import Path

from benchmarks.resilience import kills, soak, switches, system_calls, workers
from benchmarks.resilience.stage import Stage, build_stage
from benchmarks.serving.environments import CACHE

RUNS: dict[str, Callable[[Stage, int], bool]] = {
    "switches": switches.measure,
    "kills": kills.measure,
    "workers": workers.measure,
    "system_calls": system_calls.measure,
    "soak": soak.measure,
}
TIMES = {"switches": 1_000, "kills": 100, "workers": 5, "system_calls": 200, "soak": 10}


def main() -> None:
    """Measure and print; the exit code is 1 where a promise was broken."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.resilience", description=__doc__)
    parser.add_argument(
        "runs", nargs="*", choices=[*RUNS, []], help="which; all but the soak by default"
    )
    parser.add_argument("--times", type=int, help="how often, instead of the usual number")
    asked = parser.parse_args()
    CACHE.expanduser().mkdir(parents=True, exist_ok=True)
    kept = True
    # On a disk, because a folder for temporary files may lie in memory, where an fsync costs nothing.
    with tempfile.TemporaryDirectory(dir=CACHE.expanduser(), prefix="resilience-") as folder:
        stage = build_stage(Path(folder))
        for name in asked.runs or [name for name in RUNS if name != "soak"]:
            kept = RUNS[name](stage, asked.times or TIMES[name]) and kept
    raise SystemExit(0 if kept else 1)


if __name__ == "__main__":
    main()
