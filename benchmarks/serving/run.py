"""The gateway beside a floor, and beside what people use instead: requests per second, latency, processor time.

    python -m benchmarks.serving [--peers all | NAME …] [--models …] [--quick] [--cache DIR]

One core for the server, one for wrk. All servers take turns, several times, forwards and backwards. Every figure is a
median over the turns; goals are judged within each of them. Then the gateway and the floor stay up beside each other
for short turns, in which they are compared. Before it is timed a server must give the native model's answer. Peers are
installed on demand, each into an environment of its own under the cache; without `--peers` none is.
"""

import argparse
import os
import platform
import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks.serving.bundles import ESTIMATORS, Trained, train_bundle
from benchmarks.serving.disk import measure_disk, median_disk
from benchmarks.serving.environments import CACHE, NoEnvironmentError
from benchmarks.serving.floors import FLOOR, floors
from benchmarks.serving.gateway import gateways
from benchmarks.serving.goals import BESIDE_FLOOR, goals
from benchmarks.serving.load import NoGeneratorError, require_wrk
from benchmarks.serving.peers.catalogue import PEERS
from benchmarks.serving.peers.stage import stage
from benchmarks.serving.report import Measured, goal_lines, table, write_json, write_page
from benchmarks.serving.turns import Plan, measure, measure_beside

_CORES = 2


def main(words: Sequence[str] | None = None) -> None:
    """Measure, print, and write JSON and a page."""
    asked = _parse(words)
    try:
        require_wrk()
    except NoGeneratorError as error:
        print(f"serving: not measured: {error}")
        return
    if len(os.sched_getaffinity(0)) < _CORES:
        print("serving: not measured: it takes two cores, one for the server and one for the load")
        return
    cache = asked.cache.expanduser()
    cache.mkdir(parents=True, exist_ok=True)
    plan = (
        Plan(3, 1.0, pairs=5)
        if asked.quick
        else Plan(asked.turns, asked.seconds, pairs=asked.pairs)
    )
    peers = tuple(PEERS) if "all" in asked.peers else tuple(asked.peers)
    found = []
    # Beside the environments, because a folder for temporary files may lie in memory, where an fsync costs nothing.
    with tempfile.TemporaryDirectory(dir=cache, prefix="work-") as folder:
        for model in asked.models:
            print(f"{model}: training")
            found.append(_measured(train_bundle(Path(folder), model), model, peers, plan, cache))
    _report(found, peers, plan, cache / "reports")


def _parse(words: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.serving", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--peers", nargs="*", choices=["all", *PEERS], default=[], metavar="NAME")
    parser.add_argument("--models", nargs="+", choices=list(ESTIMATORS), default=list(ESTIMATORS))
    parser.add_argument("--quick", action="store_true", help="runs of 1 s, 3 turns")
    parser.add_argument(
        "--turns", type=int, default=5, help="of each server, five at least to tell anything [5]"
    )
    parser.add_argument(
        "--pairs", type=int, default=61, help="turns of the gateway and the floor beside it [61]"
    )
    parser.add_argument("--seconds", type=float, default=3.0, help="length of a run [3]")
    parser.add_argument(
        "--cache", type=Path, default=CACHE, help=f"environments, reports [{CACHE}]"
    )
    return parser.parse_args(words)


def _measured(
    trained: Trained, model: str, peers: Sequence[str], plan: Plan, cache: Path
) -> Measured:
    """Return what was found of one model."""
    staged = []
    for name in peers:
        try:
            staged.append(stage(PEERS[name], trained, cache))
        except NoEnvironmentError as error:
            print(f"  {name}: left out: {error}")
    ours = [*floors(trained), *gateways(trained)]
    disks = [measure_disk(trained.project)]
    runs = measure([*ours, *staged], plan, expected=trained.probability)
    beside = measure_beside(
        [server for server in ours if server.name in {FLOOR, *BESIDE_FLOOR}],
        plan,
        expected=trained.probability,
        before_each=lambda: disks.append(measure_disk(trained.project)),
    )
    judged = goals(
        model,
        runs,
        beside,
        floor=FLOOR,
        peers=[server.name for server in staged],
        fsync_p99_ms=median_disk(disks).p99_ms,
    )
    return Measured(model, runs, beside, disks, judged)


def _report(found: Sequence[Measured], peers: Sequence[str], plan: Plan, folder: Path) -> None:
    """Print everything and write it to files."""
    names = [PEERS[name].name for name in peers]
    about = (
        f"{platform.machine()}, {os.cpu_count()} cores, Linux {platform.release()}, "
        f"Python {platform.python_version()}; "
        f"one core for the server, one for wrk; one row of 30 numbers; medians of {plan.turns} turns of "
        f"{plan.seconds:g} s, and of {plan.pairs} of {plan.pair_s:g} s beside each other; "
        f"`others` is how many cores somebody else kept busy meanwhile."
    )
    blocks = [table(one, floor=FLOOR, peers=names) for one in found]
    text = "\n\n".join([*blocks, *(goal_lines(one.goals) for one in found)])
    folder.mkdir(parents=True, exist_ok=True)
    write_json(found, about, folder / "serving.json")
    write_page(found, about, text, folder / "serving.html")
    print(f"\n{about}\n\n{text}\n\nwritten to {folder / 'serving.html'} and serving.json beside it")
