"""The load: `wrk` on a core of its own posts one body over and over, through a number of connections."""

import json
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

CORE = 1
"""The core of the load generator; servers have core 0."""
_SCRIPT = Path(__file__).with_name("post.lua")


@dataclass(frozen=True)
class Load:
    """What one run of wrk found.

    Args:
        requests: Answers that came.
        seconds: How long it took.
        p50_ms: Median latency in milliseconds.
        p99_ms: 99th percentile of latency in milliseconds.
        errors: Answers with a status other than 2xx or 3xx, and connections that broke.
    """

    requests: int
    seconds: float
    p50_ms: float
    p99_ms: float
    errors: int

    @property
    def rate(self) -> float:
        """Answers per second."""
        return self.requests / self.seconds


class NoGeneratorError(Exception):
    """There is no wrk."""


def require_wrk() -> str:
    """Return the path of wrk.

    Raises:
        NoGeneratorError: It is not installed.
    """
    found = shutil.which("wrk")
    if found is None:
        raise NoGeneratorError("the load comes from wrk, which is missing: apt-get install wrk")
    return found


def post(
    url: str,
    body: bytes,
    *,
    connections: int,
    seconds: float,
    content_type: str = "application/json",
    core: int = CORE,
    pause_ms: float = 0.0,
) -> Load:
    """Post `body` for a while through so many connections and return what came of it.

    Args:
        url: Where.
        body: What.
        connections: Through how many; each waits for its answer before it asks again.
        seconds: How long.
        content_type: Of the body.
        core: Core of the load generator.
        pause_ms: How long a connection pauses before it asks again, on average.
    """
    with tempfile.NamedTemporaryFile(suffix=".body") as file:
        file.write(body)
        file.flush()
        command = [
            *("/usr/bin/env", "taskset", "-c", str(core), require_wrk(), "-t1", f"-c{connections}"),
            *(f"-d{max(1, round(seconds))}s", "--timeout", "10s"),
            *("-s", str(_SCRIPT), url, "--", file.name, content_type, str(pause_ms)),
        ]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
    return parse_wrk(done.stdout)


def parse_wrk(text: str) -> Load:
    """Return what the script's last line says.

    Raises:
        ValueError: There is no such line: wrk did not reach its end.
    """
    lines = [line for line in text.splitlines() if line.startswith("{")]
    if not lines:
        msg = f"wrk printed no figures: {text[-300:]!r}"
        raise ValueError(msg)
    found = json.loads(lines[-1])
    return Load(
        requests=found["requests"],
        seconds=found["seconds"],
        p50_ms=found["p50_ms"],
        p99_ms=found["p99_ms"],
        errors=found["refused"] + found["broken"],
    )
