"""Counters, gauges and histograms, and their text: Prometheus 0.0.4 or OpenMetrics 1.0.

Written and read on the event loop only, so nothing locks. Names follow Prometheus' rules (base units, counters end in
`_total`); the HTTP histogram has the name and the buckets of OpenTelemetry's semantic conventions.
"""

from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from setpoint.gateway.watching.siblings import Across, Samples, together

PROMETHEUS = "text/plain; version=0.0.4; charset=utf-8"
OPENMETRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"
OTEL_BUCKETS_S = (
    0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0,
)  # fmt: skip
# Inference takes microseconds where a web request takes milliseconds: finer buckets stand before OpenTelemetry's.
PREDICTION_BUCKETS_S = (0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, *OTEL_BUCKETS_S)
ROWS_BUCKETS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024)

OTHER = "_OTHER"
"""What stands for all label values that are not told apart; the name is OpenTelemetry's."""

Labels = tuple[str, ...]


class Counter:
    """A number that only grows, by labels.

    Args:
        name: Name without `_total`.
        text: What it counts.
        labels: Names of its labels.
        most: Combinations of label values that are told apart; what comes beyond is counted as `OTHER`.
    """

    kind = "counter"
    across: Across = "sum"

    def __init__(self, name: str, text: str, labels: Labels = (), most: int = 1_000) -> None:
        self.name, self.text, self.labels = name, text, labels
        self._values: dict[Labels, float] = {} if labels else {(): 0.0}
        self._most = most

    def add(self, labels: Labels = (), amount: float = 1.0) -> None:
        """Count `amount` more under these label values."""
        present = self._values.get(labels)
        if present is None:
            if len(self._values) >= self._most:
                labels = (OTHER,) * len(labels)
            present = self._values.get(labels, 0.0)
        self._values[labels] = present + amount

    def samples(self) -> dict[str, float]:
        """Return the value of each sample, by its name and labels as text."""
        return {
            f"{self.name}_total{_braces(self.labels, values)}": value
            for values, value in self._values.items()
        }


class Reading:
    """A counter or gauge that is read when somebody asks.

    Args:
        name: Name without `_total`.
        text: What it says.
        read: Returns the present values by label values.
        labels: Names of its labels.
        kind: `gauge` or `counter`.
        across: What stands for several workers: the sum of their readings, the largest, or the smallest.
    """

    def __init__(
        self,
        name: str,
        text: str,
        read: Callable[[], Mapping[Labels, float]],
        labels: Labels = (),
        kind: str = "gauge",
        *,
        across: Across = "max",
    ) -> None:
        self.name, self.text, self.labels, self.kind = name, text, labels, kind
        self.across: Across = "sum" if kind == "counter" else across
        self._read = read

    def samples(self) -> dict[str, float]:
        """Return the value of each sample, by its name and labels as text."""
        suffix = "_total" if self.kind == "counter" else ""
        return {
            f"{self.name}{suffix}{_braces(self.labels, values)}": value
            for values, value in self._read().items()
        }


@dataclass(slots=True)
class _Cell:
    """What a histogram counted under one combination of label values."""

    counts: list[int]
    sum: float = 0.0


class Histogram:
    """Durations or sizes in buckets, by labels.

    Args:
        name: Name, with its unit.
        text: What it measures.
        labels: Names of its labels.
        bounds: Upper bounds of the buckets, ascending, without infinity.
    """

    kind = "histogram"
    across: Across = "sum"

    def __init__(self, name: str, text: str, labels: Labels, bounds: Sequence[float]) -> None:
        self.name, self.text, self.labels = name, text, labels
        self._bounds = tuple(bounds)
        self._cells: dict[Labels, _Cell] = {}

    def observe(self, labels: Labels, value: float) -> None:
        """Count one value under these label values."""
        cell = self._cells.get(labels)
        if cell is None:
            cell = self._cell(labels)
        cell.counts[bisect_left(self._bounds, value)] += 1
        cell.sum += value

    def under(self, labels: Labels) -> Callable[[float], None]:
        """Return what counts a value under these label values, without looking them up each time."""
        cell, counts, bounds = self._cell(labels), self._cell(labels).counts, self._bounds

        def observe(value: float) -> None:
            counts[bisect_left(bounds, value)] += 1
            cell.sum += value

        return observe

    def samples(self) -> dict[str, float]:
        """Return the value of each sample, by its name and labels as text; buckets are cumulative."""
        found: dict[str, float] = {}
        for values, cell in tuple(self._cells.items()):  # a thread that loads a version may add one
            reached = 0
            for bound, count in zip((*self._bounds, None), cell.counts, strict=True):
                reached += count
                edge = "+Inf" if bound is None else _number(bound)
                found[f"{self.name}_bucket{_braces((*self.labels, 'le'), (*values, edge))}"] = (
                    reached
                )
            braces = _braces(self.labels, values)
            found[f"{self.name}_sum{braces}"] = cell.sum
            found[f"{self.name}_count{braces}"] = reached
        return found

    def _cell(self, labels: Labels) -> _Cell:
        return self._cells.setdefault(labels, _Cell([0] * (len(self._bounds) + 1)))


Metric = Counter | Reading | Histogram


def exposition(
    metrics: Sequence[Metric],
    others: Sequence[tuple[bool, Samples]] = (),
    *,
    openmetrics: bool,
) -> bytes:
    """Return the text of all metrics, in order.

    Args:
        metrics: The metrics of this process.
        others: Whether each other worker lives, and its samples; of a dead one, what only grows still counts.
        openmetrics: Whether the format is OpenMetrics.
    """
    lines = []
    for metric in metrics:
        # Prometheus names a counter's family with the suffix, OpenMetrics without.
        suffix = "_total" if metric.kind == "counter" and not openmetrics else ""
        lines.append(f"# HELP {metric.name}{suffix} {metric.text}")
        lines.append(f"# TYPE {metric.name}{suffix} {metric.kind}")
        theirs = [
            samples.get(metric.name, {})
            for lives, samples in others
            if lives or metric.kind != "gauge"
        ]
        found = together(metric.samples(), theirs, across=metric.across)
        lines.extend(f"{name} {_number(value)}" for name, value in found.items())
    if openmetrics:
        lines.append("# EOF")
    return ("\n".join(lines) + "\n").encode()


def _braces(names: Labels, values: Labels) -> str:
    """Return `{name="value",…}`, or nothing without labels."""
    if not names:
        return ""
    pairs = (f'{name}="{_escape(value)}"' for name, value in zip(names, values, strict=True))
    return "{" + ",".join(pairs) + "}"


def _escape(text: str) -> str:
    """Return a label value as the format wants it."""
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _number(value: float) -> str:
    """Return a number as short as it reads back."""
    return str(int(value)) if value == int(value) else repr(value)
