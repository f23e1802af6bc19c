"""The metrics of several worker processes as one: whichever worker a scraper meets tells those of all.

Each worker writes its samples to a file of its own every second, and reads the others' when somebody asks. The file of
a worker that died stays: its counts happened.
"""

import asyncio
import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from operator import add
from pathlib import Path
from typing import Literal

import msgspec

Samples = Mapping[str, Mapping[str, float]]
"""Values by sample line, by metric."""

Across = Literal["sum", "max", "min"]
"""What stands for the values of several workers."""

_EVERY_S = 1.0
_JOINS: Mapping[Across, Callable[[float, float], float]] = {"sum": add, "max": max, "min": min}
_decode = msgspec.json.Decoder(dict[str, dict[str, float]]).decode


class Siblings:
    """What one worker knows of the others.

    Args:
        folder: Folder that all workers of one gateway share, and nobody else.
        executor: A thread apart from the event loop.
    """

    def __init__(self, folder: Path, executor: Executor) -> None:
        self._folder = folder
        self._executor = executor
        self._own = folder / f"{os.getpid()}.json"

    async def run(self, samples: Callable[[], Samples], every_s: float = _EVERY_S) -> None:
        """Write this worker's samples until cancelled."""
        while True:
            await self.write(samples())
            await asyncio.sleep(every_s)

    async def write(self, samples: Samples) -> None:
        """Write this worker's samples; a disk that is full costs the others a second's counts, and nothing else."""
        content = msgspec.json.encode(samples)
        await asyncio.get_running_loop().run_in_executor(self._executor, self._write, content)

    def others(self) -> list[tuple[bool, Samples]]:
        """Return the samples of each other worker, and whether it lives."""
        found: list[tuple[bool, Samples]] = []
        for path in sorted(self._folder.glob("*.json")):
            if path == self._own:
                continue
            try:
                found.append((_lives(int(path.stem)), _decode(path.read_bytes())))
            except (OSError, ValueError, msgspec.DecodeError):
                continue  # its writer is just putting it there
        return found

    def _write(self, content: bytes) -> None:
        part = self._own.with_suffix(".part")
        try:
            part.write_bytes(content)
            part.replace(self._own)
        except OSError:
            return


def together(
    own: Mapping[str, float], others: Sequence[Mapping[str, float]], *, across: Across
) -> dict[str, float]:
    """Return the samples of one metric over all workers."""
    join = _JOINS[across]
    found = dict(own)
    for samples in others:
        for name, value in samples.items():
            present = found.get(name)
            found[name] = value if present is None else join(present, value)
    return found


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
