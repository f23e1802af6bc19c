"""Scoring outside the gateway: a version's bundle on a table."""

from typing import Protocol

import pyarrow as pa

from setpoint.facts.evidence import Scores


class Scorer(Protocol):
    """Answers for whole tables with the bundle that gateways load."""

    def score(self, artifact: str, table: pa.Table) -> Scores:
        """Return the answers of the version with this artifact digest for every row of `table`.

        Raises:
            BundleError: The bundle is missing or altered.
        """

    def classes(self, artifact: str) -> tuple[str, ...]:
        """Return the class names that the codes of `score` index; empty for regression.

        Raises:
            BundleError: The bundle is missing or altered.
        """
