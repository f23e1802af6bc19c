"""The model registry: runs, versions and aliases, where teams already look for them."""

from pathlib import Path
from typing import Protocol

from setpoint.facts.registration import Registered, Registration


class Registry(Protocol):
    """Runs, versions and the `champion` and `challenger` aliases of models."""

    def record(self, registration: Registration, folder: Path) -> Registered:
        """Log a finished attempt as a run, and as a version where the gates passed.

        Idempotent by the attempt: a run or version that an earlier call left, whole or half, is found by its attempt
        tag and completed, never doubled.

        Args:
            registration: What to log.
            folder: Folder of the finished training job.

        Raises:
            RegistryError: The registry refused or cannot be reached.
        """

    def aliases(self, model: str) -> dict[str, int]:
        """Return version by alias; empty for a model that the registry does not know."""

    def point(self, model: str, alias: str, version: int | None) -> None:
        """Make `alias` name `version`, or nothing. Repeating it is harmless."""
