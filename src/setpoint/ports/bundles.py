"""Where released bundles are kept."""

from pathlib import Path
from typing import Protocol

from setpoint.facts.profile import Profile


class Bundles(Protocol):
    """Keeps bundles by artifact digest; a kept bundle never changes."""

    def keep(self, folder: Path, profile: Profile | None = None) -> str:
        """Copy a job's bundle with its reference profile and return the artifact digest. Repeating it is harmless.

        Raises:
            BundleError: There is no bundle.
        """

    def find(self, artifact: str) -> Path:
        """Return the folder of a bundle.

        Raises:
            BundleError: There is none.
        """

    def profile(self, artifact: str) -> Profile:
        """Return the reference profile that was sealed into a bundle.

        Raises:
            BundleError: There is no such bundle, or it has no profile.
        """
