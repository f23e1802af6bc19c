"""What the loop saw last, as one small file beside the deployment document, for gateways to show."""

import os
from collections.abc import Mapping
from pathlib import Path

import msgspec

from setpoint.clock import Clock
from setpoint.facts.signal import Signal
from setpoint.facts.watched import Watched, watched_of

WATCHED = "watched.json"
"""Name of the file."""

_decode = msgspec.json.Decoder(Watched).decode


class WatchedWriter:
    """Writes the file after each window; a picture of the state, of which nothing is decided.

    Args:
        path: The file.
        model: Name of the model.
        clock: Stamps it.
    """

    def __init__(self, path: Path, model: str, clock: Clock) -> None:
        self._path = path
        self._model = model
        self._clock = clock

    def __call__(self, signals: Mapping[str, Signal]) -> None:
        """Write the signals of one window; a disk that is full costs the picture, and no pass."""
        if not signals:
            return
        text = msgspec.json.encode(watched_of(self._model, self._clock.wall(), signals.values()))
        beside = self._path.with_name(f".{self._path.name}.{os.getpid()}")
        try:
            beside.write_bytes(text)
            beside.replace(self._path)
        except OSError:
            beside.unlink(missing_ok=True)


class WatchedReader:
    """Reads the file when somebody asks, where it has changed.

    Args:
        path: The file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._mark: tuple[int, int] = (0, 0)
        self._found: Watched | None = None

    def __call__(self) -> Watched | None:
        """Return what the loop saw last; None where it has looked at nothing, or the file cannot be read."""
        try:
            stat = self._path.stat()
            mark = (stat.st_ino, stat.st_mtime_ns)
            if mark != self._mark:
                self._found = _decode(self._path.read_bytes())
                self._mark = mark
        except (OSError, msgspec.DecodeError, UnicodeDecodeError):
            self._found, self._mark = None, (0, 0)
        return self._found
