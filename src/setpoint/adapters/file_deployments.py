"""The deployment document as one JSON file that gateways watch."""

import contextlib
import os
from pathlib import Path

import msgspec

from setpoint.errors import DeploymentError
from setpoint.facts.deployment import Deployment


class FileDeployments:
    """Keeps the document in one file; implements `setpoint.ports.deployments.Deployments`.

    A reader sees the old document or the new one, never a part: the new text is written and fsync'd under another
    name in the same folder, renamed over the file, and the folder is fsync'd, so that the switch outlives a power cut.

    Args:
        path: The file, such as `.setpoint/deployment.json`; its folder is made at the first document.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

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
            self._replace(text)
        except OSError as error:
            msg = f"cannot write the deployment document {self._path}: {error}"
            raise DeploymentError(msg) from error

    def current(self) -> Deployment | None:
        """Return the document in force, or None before the first.

        Raises:
            DeploymentError: The file is there, but is not a deployment document.
        """
        try:
            text = self._path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            msg = f"cannot read the deployment document {self._path}: {error}"
            raise DeploymentError(msg) from error
        try:
            return msgspec.json.decode(text, type=Deployment)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            msg = f"{self._path} is not a deployment document: {error}"
            raise DeploymentError(msg) from error

    def mark(self) -> tuple[int, int, int] | None:
        """Return something that differs whenever the file was replaced; None while there is none."""
        try:
            found = self._path.stat()
        except OSError:
            return None
        return found.st_ino, found.st_mtime_ns, found.st_size

    def _replace(self, text: bytes) -> None:
        """Write `text` beside the file, then put it in the file's place."""
        beside = self._path.with_name(f".{self._path.name}.{os.getpid()}")
        try:
            with beside.open("wb") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            beside.replace(self._path)
        finally:
            with contextlib.suppress(FileNotFoundError):
                beside.unlink()
        folder = os.open(self._path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
