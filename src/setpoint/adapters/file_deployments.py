"""The deployment document as one JSON file that gateways watch; beside it, one small file for what each reports.

A report stands apart from the prediction log: it is written while the log is full or off, and no answer waits for it.
"""

import contextlib
import os
import stat
from pathlib import Path

import msgspec

from setpoint.errors import DeploymentError
from setpoint.facts.deployment import Deployment
from setpoint.facts.gateway_report import GatewayReport

_REPORTS = "gateways"
_MOST = 1_000_000  # bytes of a document; real ones have some thousands
_KEPT_S = 3600.0  # how long the last report of a gateway that was killed stays; those that end take theirs away


class FileDeployments:
    """Keeps the document and the reports in files; implements `setpoint.ports.deployments.Deployments`.

    A reader sees the old document or the new one, never a part: the new text is written and fsync'd under another
    name in the same folder, renamed over the file, and the folder is fsync'd, so that the switch outlives a power cut.

    Args:
        path: The file, such as `.setpoint/deployment.json`; its folder is made at the first document.
        model: Name of the model that a document must be of to be read; empty for any.
    """

    def __init__(self, path: Path, model: str = "") -> None:
        self._path = path
        self._model = model

    def publish(self, deployment: Deployment) -> None:
        """Make `deployment` the document in force, atomically. Repeating it is harmless.

        Raises:
            DeploymentError: The document contradicts itself, or the file cannot be written.
        """
        deployment.require_sound()
        text = msgspec.json.format(msgspec.json.encode(deployment), indent=2) + b"\n"
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            if self._path.is_file() and self._path.read_bytes() == text:
                return
            _replace(self._path, text)
        except OSError as error:
            msg = f"cannot write the deployment document {self._path}: {error}"
            raise DeploymentError(msg) from error

    def current(self) -> Deployment | None:
        """Return the document in force, or None before the first.

        Raises:
            DeploymentError: The file is there, but is not a deployment document, or is of another model.
        """
        try:
            text = _read(self._path)
        except FileNotFoundError:
            return None
        except OSError as error:
            msg = f"cannot read the deployment document {self._path}: {error}"
            raise DeploymentError(msg) from error
        try:
            found = msgspec.json.decode(text, type=Deployment)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            msg = f"{self._path} is not a deployment document: {error}"
            raise DeploymentError(msg) from error
        if self._model and found.model != self._model:
            msg = f"{self._path} is of the model {found.model!r}, not {self._model!r}"
            raise DeploymentError(msg)
        return found

    def mark(self) -> tuple[int, int, int] | None:
        """Return something that differs whenever the file was replaced; None while there is none."""
        try:
            found = self._path.stat()
        except OSError:
            return None
        return found.st_ino, found.st_mtime_ns, found.st_size

    def trouble(self) -> str:
        """Return nothing: a file that cannot be read is told by `current`."""
        return ""

    def close(self) -> None:
        """Do nothing: files are read at once."""

    def report(self, report: GatewayReport) -> None:
        """Keep what a gateway reports, in place of what it reported before.

        Raises:
            DeploymentError: The report cannot be written.
        """
        path = self._report_path(report.gateway)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            _replace(path, msgspec.json.encode(report))
            _remove_old(path)
        except OSError as error:
            msg = f"cannot write the report {path}: {error}"
            raise DeploymentError(msg) from error

    def withdraw(self, gateway: str) -> None:
        """Forget what a gateway reported: it ends.

        Raises:
            DeploymentError: The report cannot be removed.
        """
        path = self._report_path(gateway)
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            msg = f"cannot remove the report {path}: {error}"
            raise DeploymentError(msg) from error

    def reports(self) -> tuple[GatewayReport, ...]:
        """Return the last report of each gateway, by name; what is no report is passed over.

        Raises:
            DeploymentError: The reports cannot be read.
        """
        found = {}
        try:
            for path in sorted((self._path.parent / _REPORTS).glob("[!.]*.json")):
                with contextlib.suppress(
                    FileNotFoundError, msgspec.DecodeError, UnicodeDecodeError
                ):
                    report = msgspec.json.decode(path.read_bytes(), type=GatewayReport)
                    found[report.gateway] = report
        except OSError as error:
            msg = f"cannot read the reports of gateways beside {self._path}: {error}"
            raise DeploymentError(msg) from error
        return tuple(found.values())

    def _report_path(self, gateway: str) -> Path:
        return self._path.parent / _REPORTS / f"{gateway}.json"


def _read(path: Path) -> bytes:
    """Return the text of a document: of a file, and of no more than one can have, so that no reading is without end.

    Raises:
        OSError: It cannot be read, or is no such file.
    """
    # Without waiting for the other end, where it is a pipe.
    with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise OSError("it is no regular file")
        text = file.read(_MOST + 1)
    if len(text) > _MOST:
        msg = f"it has more than {_MOST:,} bytes"
        raise OSError(msg)
    return text


def _replace(path: Path, text: bytes) -> None:
    """Write `text` beside a file, then put it in the file's place."""
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with beside.open("wb") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    finally:
        with contextlib.suppress(FileNotFoundError):
            beside.unlink()
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _remove_old(newest: Path) -> None:
    """Remove what gateways that were killed long ago left behind."""
    now = newest.stat().st_mtime
    for path in newest.parent.iterdir():
        with contextlib.suppress(FileNotFoundError):
            if now - path.stat().st_mtime > _KEPT_S:
                path.unlink()
