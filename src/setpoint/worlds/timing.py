"""Wall time inside fit and predict, told apart from what Setpoint adds."""

from pathlib import Path

import pyarrow as pa

from setpoint.clock import Clock
from setpoint.facts.evidence import Scores
from setpoint.facts.training import TrainingJob, TrainingResult
from setpoint.ports.jobs import Jobs
from setpoint.ports.scorer import Scorer


class Spent:
    """Seconds, added up."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def add(self, seconds: float) -> None:
        """Add some seconds."""
        self.seconds += seconds


class TimedJobs:
    """Training jobs whose seconds inside fit and predict are added up.

    Args:
        jobs: Does the work.
        spent: Is told the seconds.
    """

    def __init__(self, jobs: Jobs, spent: Spent) -> None:
        self._jobs = jobs
        self._spent = spent
        self.fits = 0

    def train(self, job: TrainingJob) -> TrainingResult:
        """Do the job; see `setpoint.ports.jobs`."""
        result = self._jobs.train(job)
        self.fits += 1
        self._spent.add(result.fit_seconds + result.predict_seconds)
        return result

    def finished(self, key: str) -> TrainingResult | None:
        """Return the result of a finished job, or None."""
        return self._jobs.finished(key)

    def folder(self, key: str) -> Path:
        """Return the folder of the job with this key."""
        return self._jobs.folder(key)


class TimedScorer:
    """A scorer whose seconds are added up.

    Args:
        scorer: Does the work.
        clock: Measures it.
        spent: Is told the seconds.
    """

    def __init__(self, scorer: Scorer, clock: Clock, spent: Spent) -> None:
        self._scorer = scorer
        self._clock = clock
        self._spent = spent

    def score(self, artifact: str, table: pa.Table) -> Scores:
        """Return the answers of a version; see `setpoint.ports.scorer`."""
        begun = self._clock.stopwatch()
        scores = self._scorer.score(artifact, table)
        self._spent.add(self._clock.stopwatch() - begun)
        return scores

    def classes(self, artifact: str) -> tuple[str, ...]:
        """Return the class names that the codes of `score` index."""
        return self._scorer.classes(artifact)
