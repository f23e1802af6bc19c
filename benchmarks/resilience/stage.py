"""Two versions whose answers differ, the documents that serve them, and the gateway as users start it."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
import numpy as np
import psutil

from benchmarks.serving.bundles import train_bundle
from benchmarks.serving.rows import COLUMNS
from benchmarks.serving.server import spare_port
from setpoint.adapters.file_deployments import FileDeployments
from setpoint.facts.deployment import Deployed, Deployment

Row = dict[str, float]
_ROWS = 64
_START_S = 60.0


def _rows() -> list[Row]:
    drawn = np.random.default_rng(5).normal(size=(_ROWS, len(COLUMNS))).round(4)
    return [dict(zip(COLUMNS, map(float, row), strict=True)) for row in drawn]


@dataclass
class Stage:
    """A forest as version 1, a logistic regression as version 2; both of one model, on the same columns.

    Args:
        folder: Where documents and logs go; each run takes a folder of its own in it.
        prepare: Both versions.
        contract: Digest of the contract.
        rows: Rows to ask about.
    """

    folder: Path
    prepare: tuple[Deployed, ...]
    contract: str
    rows: list[Row] = field(default_factory=_rows)

    def document(self, generation: int, champion: int, log: str) -> Deployment:
        """Return a document that gives one version all traffic."""
        return Deployment(
            model="bench",
            generation=generation,
            contract=self.contract,
            prepare=self.prepare,
            weights={str(champion): 1.0},
            champion=champion,
            log=log,
        )

    def publish(self, name: str, document: Deployment) -> Path:
        """Put a document in force in the folder of a run, and return where it stands."""
        path = self.folder / name / "deployment.json"
        FileDeployments(path).publish(document)
        return path


def build_stage(folder: Path) -> Stage:
    """Train both versions."""
    found: list[Deployed] = []
    contract = ""
    for version, model in enumerate(("forest", "logistic"), start=1):
        print(f"training a {model}")
        trained = train_bundle(folder, model)
        document = FileDeployments(trained.project / ".setpoint" / "deployment.json").current()
        assert document is not None
        (deployed,) = document.prepare
        found.append(msgspec.structs.replace(deployed, version=version))
        contract = document.contract
    return Stage(folder, tuple(found), contract)


@dataclass
class Gateway:
    """A running gateway.

    Args:
        process: Its first process.
        url: Where it listens.
        start_s: From the command to the first ready answer.
    """

    process: subprocess.Popen[bytes]
    url: str
    start_s: float

    def ready(self) -> bool:
        """Whether it says that it is."""
        try:
            with urllib.request.urlopen(f"{self.url}/readyz", timeout=5) as given:  # noqa: S310 (our own gateway)
                return bool(json.loads(given.read())["ready"])
        except OSError:
            return False


@contextlib.contextmanager
def gateway(
    document: Path, *words: str, port: int = 0, before: tuple[str, ...] = ()
) -> Iterator[Gateway]:
    """Run a gateway until the end of the block, where it drains unless it was killed before.

    Args:
        document: The deployment document.
        words: Further words of the command line.
        port: Where it listens; 0 for a spare port.
        before: Words before the command, such as a tracer's.
    """
    port = port or spare_port()
    begun = time.perf_counter()
    command = [*before, sys.executable, "-m", "setpoint", "gateway", "--deployment", str(document)]
    with (document.parent / "said.txt").open("ab") as said:
        process = subprocess.Popen(
            [*command, "--port", str(port), *words],
            stdout=said,
            stderr=subprocess.STDOUT,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
        )
    found = Gateway(process, f"http://127.0.0.1:{port}", 0.0)
    try:
        while not found.ready():
            if process.poll() is not None or time.perf_counter() - begun > _START_S:
                msg = f"the gateway did not start: {(document.parent / 'said.txt').read_text()}"
                raise RuntimeError(msg)
            time.sleep(0.005)
        found.start_s = time.perf_counter() - begun
        yield found
    finally:
        if process.poll() is None:
            # A tracer ignores the signal; it ends with the gateway that it traces.
            first = psutil.Process(process.pid)
            traced = first.children() if before else []
            (traced or [first])[0].send_signal(signal.SIGTERM)
        process.wait(_START_S)
