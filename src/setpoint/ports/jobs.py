"""Jobs: work apart from decisions. Kind, digest of inputs, attempt → result; doing one twice is harmless."""

from pathlib import Path
from typing import Protocol

from setpoint.facts.training import TrainingJob, TrainingResult


class Jobs(Protocol):
    """Does training jobs, each in a process of its own, and keeps their results by key."""

    def train(self, job: TrainingJob) -> TrainingResult:
        """Do the job, or return the result that an earlier call finished.

        Raises:
            TrainingError: The training function raised, hung, exited, ate too much memory or answered nonsense.
        """

    def finished(self, key: str) -> TrainingResult | None:
        """Return the result of a finished job, or None."""

    def folder(self, key: str) -> Path:
        """Return the folder of the job with this key: `result.json`, `evidence.npz`, `native/`, `bundle/`."""
