"""Released bundles: immutable folders under `bundles/<artifact>`, and those that finished jobs still hold."""

import os
import shutil
from pathlib import Path

import msgspec

from setpoint.errors import BundleError
from setpoint.facts.profile import Profile
from setpoint.training.manifest import read_manifest, seal


class BundleStore:
    """Finds bundles by artifact digest.

    Args:
        store: The project's store, such as `.setpoint`.
    """

    def __init__(self, store: Path) -> None:
        self._bundles = store / "bundles"
        self._index = store / "jobs" / "artifacts"

    def find(self, artifact: str) -> Path:
        """Return the folder of the bundle with this artifact digest.

        Raises:
            BundleError: There is none.
        """
        released = self._bundles / artifact
        if released.is_dir():
            return released
        try:
            folder = Path((self._index / artifact).read_text(encoding="utf-8"))
        except OSError as error:
            msg = f"there is no bundle {artifact}"
            raise BundleError(msg) from error
        found = self._index.parent / folder
        if not found.is_dir():
            msg = f"the bundle {artifact} was in {found}, which is gone"
            raise BundleError(msg)
        return found

    def profile(self, artifact: str) -> Profile:
        """Return the reference profile that was sealed into a bundle.

        Raises:
            BundleError: There is no such bundle, or it has no profile.
        """
        path = self.find(artifact) / "profile.json"
        try:
            return msgspec.json.decode(path.read_bytes(), type=Profile)
        except (OSError, msgspec.DecodeError) as error:
            msg = f"the bundle {artifact} has no readable profile: {error}"
            raise BundleError(msg) from error

    def note(self, artifact: str, folder: Path) -> None:
        """Remember that a job's folder holds a bundle; noting it again changes nothing."""
        path = self._index / artifact
        if path.is_file():
            return
        self._index.mkdir(parents=True, exist_ok=True)
        beside = path.with_name(f".{artifact}-{os.getpid()}")
        beside.write_text(folder.relative_to(self._index.parent).as_posix(), encoding="utf-8")
        beside.replace(path)

    def keep(self, folder: Path, profile: Profile | None = None) -> str:
        """Copy a job's bundle to where gateways load it from and return its artifact digest.

        The job's own folder stays as it is. Keeping the same bundle again changes nothing.

        Args:
            folder: The bundle of a finished job.
            profile: A profile to seal into it, which changes the artifact digest.

        Raises:
            BundleError: There is no bundle.
        """
        if profile is None:
            artifact = read_manifest(folder).artifact
            if (self._bundles / artifact).is_dir():
                return artifact
        self._bundles.mkdir(parents=True, exist_ok=True)
        beside = self._bundles / f".{folder.parent.name[:16]}-{os.getpid()}"
        shutil.rmtree(beside, ignore_errors=True)
        try:
            shutil.copytree(folder, beside)
            artifact = seal(beside, profile)
            if not (self._bundles / artifact).is_dir():
                beside.rename(self._bundles / artifact)
        finally:
            shutil.rmtree(beside, ignore_errors=True)
        return artifact
