"""How many answers took longer than some limits, counted as they come: no look counts an answer again."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc


class SlowCounts:
    """Answers that took longer than some limits, counted as they come.

    Args:
        generation: Generation of the deployment document; answers under earlier ones are not counted.
        limits: In seconds.

    Attributes:
        seen: Position after the last answer that was counted.
    """

    COLUMNS = ("position", "version", "generation", "propensity", "latency_s")

    def __init__(self, generation: int, limits: tuple[float, ...]) -> None:
        self.seen = 0
        self._generation = generation
        self._limits = limits
        self._counts: dict[int, list[int]] = {}

    def add(self, table: pa.Table) -> None:
        """Count answers that came since; all of them at once, or in any order within one look."""
        if not table.num_rows:
            return
        self.seen = max(self.seen, pc.max(table["position"]).as_py() + 1)
        counted = pc.and_(
            pc.greater(table["propensity"], 0.0),
            pc.greater_equal(table["generation"], self._generation),
        )
        table = table.filter(counted)
        version, taken = table["version"].to_numpy(), table["latency_s"].to_numpy()
        for one in np.unique(version).tolist():
            counts = self._counts.setdefault(one, [0] * len(self._limits))
            of_one = taken[version == one]
            for place, limit in enumerate(self._limits):
                counts[place] += int(np.count_nonzero(of_one > limit))

    def of(self, version: int) -> dict[float, int]:
        """Return the count of each limit."""
        counts = self._counts.get(version, [0] * len(self._limits))
        return dict(zip(self._limits, counts, strict=True))
