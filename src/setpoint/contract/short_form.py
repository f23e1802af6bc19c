"""The short form that teams know (`model.slas`, `model.monitoring`), put into the long form.

What a service level asserts, the long form says in its own places: a gate before release, a guardrail during it and an
objective after it. A quantity that stands in both forms must be equal in both.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import cast, get_args

from setpoint.contract.cron import Cron
from setpoint.contract.document import Entry, Node
from setpoint.contract.metrics import METRICS, OTHER_NAMES, MetricName
from setpoint.contract.monitor import Watched
from setpoint.contract.origin import Became, Path, Place, path_text
from setpoint.contract.scalar import ScalarError
from setpoint.contract.shares import Share
from setpoint.contract.spans import Duration, Span
from setpoint.errors import Problem

SLAS: dict[str, str] = {
    "inference_latency_p95": "latency gate, release guardrail and objective",
    "inference_latency_p99": "latency gate, release guardrail and objective",
    "data_drift_threshold": "monitor.drift.effect",
    "availability": "objective",
} | {f"target_{name}": "gate and performance floor" for name in get_args(MetricName)}
"""Keys of `model.slas`, and what each becomes."""

MONITORING: dict[str, str] = {
    "schedule": "monitor.schedule",
    "window": "monitor.window",
    "metrics": "monitor.signals",
}
"""Keys of `model.monitoring`, and what each becomes."""

SIGNAL_NAMES: dict[str, Watched] = {
    "feature_drift": "drift",
    "data_drift": "drift",
    "drift": "drift",
    "prediction_drift": "prediction",
    "latency": "latency",
    "inference_latency": "latency",
    "error_rate": "errors",
    "errors": "errors",
    "nulls": "nulls",
    "missing_values": "nulls",
    "performance": "performance",
}
"""Names of signals in `model.monitoring.metrics`; names of metrics switch `performance` on."""

_READERS: dict[str, Callable[[object], object]] = {
    "data_drift_threshold": Share.read,
    "availability": Share.read,
    "schedule": Cron.read,
    "window": Span.read,
}


@dataclass
class ShortForm:
    """The long form of one tree, as far as it has come.

    Args:
        root: Root of the tree, changed in place.
        problems: What is wrong with the short form.
        became: What each key became.
    """

    root: Node
    problems: list[Problem] = field(default_factory=list)
    became: list[Became] = field(default_factory=list)

    def expand(self) -> None:
        """Take the short form out of `model`, and put what it says in its places."""
        model = self.root.at(("model",))
        if model is None or not isinstance(model.node.value, dict):
            return
        keys = model.node.value
        slas, monitoring = keys.pop("slas", None), keys.pop("monitoring", None)
        for entry, name, known, take in (
            (slas, "slas", SLAS, self._take_sla),
            (monitoring, "monitoring", MONITORING, self._take_monitoring),
        ):
            if entry is None or entry.node.value is None:
                continue
            if not isinstance(entry.node.value, dict):
                self._blame(("model", name), entry, "is not a mapping", ", ".join(known))
                continue
            for key, item in entry.node.value.items():
                self._take(("model", name, key), item, known, take)

    def _take(
        self,
        path: tuple[str, ...],
        entry: Entry,
        known: dict[str, str],
        take: Callable[[str, Entry], tuple[str, ...]],
    ) -> None:
        key = path[-1]
        if key.startswith("target_") and key not in known:
            key = f"target_{OTHER_NAMES.get(key.removeprefix('target_'), '')}"
        if key not in known:
            self.problems.append(_unknown(path, entry, known))
            return
        if entry.node.value is None:
            return
        try:
            into = take(key, entry)
        except ScalarError as error:
            self._blame(path, entry, error.message, error.allowed)
            return
        if into:
            self.became.append(Became(path_text(path), _said(entry.node), into, entry.place))

    def _take_sla(self, key: str, entry: Entry) -> tuple[str, ...]:
        if key.startswith("inference_latency_"):
            return self._take_latency(key.removeprefix("inference_latency_"), entry)
        if key.startswith("target_"):
            return self._take_target(key.removeprefix("target_"), entry)
        share = _READERS[key](entry.node.value)
        ours: Path = ("monitor", "drift", "effect")
        if key == "availability":
            ours = ("monitor", "slo", "availability")
        self._set(ours, entry, _READERS[key])
        return (f"{path_text(ours)}: {share}",)

    def _take_latency(self, quantile: str, entry: Entry) -> tuple[str, ...]:
        limit = Duration.read(entry.node.value)
        key = f"latency_{quantile}"
        gate = {"latency": _text(quantile, entry)}
        self._limit(("gates",), gate, "max", entry, Duration.read)
        self._add_default_guardrails(entry)
        self._limit(("release", "guardrails"), {}, key, entry, Duration.read)
        self._set(("monitor", "slo", key), entry, Duration.read)
        return (
            f"gate: latency {quantile} max {limit}, one row as the gateway answers it",
            f"release guardrail: latency_{quantile} max {limit}",
            f"monitor.slo.latency_{quantile}: {limit}",
        )

    def _take_target(self, metric: str, entry: Entry) -> tuple[str, ...]:
        target = entry.node.value
        if isinstance(target, bool) or not isinstance(target, int | float):
            raise ScalarError("is not a number", allowed="a number such as 0.85")
        bound = "min" if METRICS[cast("MetricName", metric)].better == "higher" else "max"
        gate = {"metric": _text(metric, entry)}
        self._limit(("gates",), gate, bound, entry, _number)
        performance: Path = ("monitor", "performance")
        watched = self.root.at((*performance, "metric"))
        words = [f"gate: {metric} {bound} {entry.node.said}"]
        if watched is None or watched.node.value == metric:
            self._set((*performance, "metric"), _text(metric, entry), str)
            self._set((*performance, bound), entry, _number)
            word = "floor" if bound == "min" else "ceiling"
            words.append(f"performance {word}: {metric} {bound} {entry.node.said}")
        return tuple(words)

    def _take_monitoring(self, key: str, entry: Entry) -> tuple[str, ...]:
        if key == "metrics":
            return self._take_metrics(entry)
        value = _READERS[key](entry.node.value)
        self._set(("monitor", key), entry, _READERS[key])
        return (f"monitor.{key}: {value}",)

    def _take_metrics(self, entry: Entry) -> tuple[str, ...]:
        if not isinstance(entry.node.value, list):
            raise ScalarError("is not a list", allowed="[accuracy, feature_drift, latency]")
        signals: list[str] = []
        metrics: list[Node] = []
        for position, node in enumerate(entry.node.value):
            name = node.value if isinstance(node.value, str) else ""
            if name in METRICS or name in OTHER_NAMES:
                metrics.append(node)
                name = "performance"
            if name not in SIGNAL_NAMES:
                path = ("model", "monitoring", "metrics", position)
                allowed = ", ".join([*SIGNAL_NAMES, *METRICS])
                self._blame(path, Entry(node.place, node), "is not a signal", allowed)
                continue
            if SIGNAL_NAMES[name] not in signals:
                signals.append(SIGNAL_NAMES[name])
        performance = self.root.at(("monitor", "performance", "metric"))
        if performance is not None and "performance" not in signals:
            signals.append("performance")
        if metrics and performance is None:
            name = str(metrics[0].value)
            named = Node(OTHER_NAMES.get(name, name), metrics[0].place, name)
            self._set(("monitor", "performance", "metric"), Entry(entry.place, named), str)
        nodes = [Node(signal, entry.place, signal) for signal in signals]
        self._set(("monitor", "signals"), Entry(entry.place, Node(nodes, entry.node.place)), _names)
        return (f"signals that are on: {', '.join(signals)}",)

    def _set(self, path: Path, entry: Entry, read: Callable[[object], object]) -> None:
        """Put an entry under a path, or compare it with what stands there."""
        here = self.root.at(path)
        if here is None or here.node.value is None:
            self.root.put(path, entry)
        elif not _equal(here.node, entry.node, read):
            self._blame_twice(path, here, entry)

    def _limit(
        self,
        path: Path,
        what: dict[str, Entry],
        bound: str,
        entry: Entry,
        read: Callable[[object], object],
    ) -> None:
        """Append the limit of `what` to a list, or compare it with the limit that is there."""
        here = self.root.at(path)
        if here is None or here.node.value is None:
            here = Entry(entry.place, Node([], entry.place))
            self.root.put(path, here)
        if not isinstance(here.node.value, list):
            return  # the section's own validation says so
        for position, node in enumerate(here.node.value):
            written = node.at((bound,))
            if written is None or not _is_about(node, what):
                continue
            if not _equal(written.node, entry.node, read):
                self._blame_twice((*path, position, bound), written, entry)
            return
        here.node.value.append(Node({**what, bound: entry}, entry.place))

    def _add_default_guardrails(self, entry: Entry) -> None:
        path: Path = ("release", "guardrails")
        here = self.root.at(path)
        if here is None or here.node.value is None:
            one = Node({"error_rate": _text("1%", entry)}, entry.place)
            self.root.put(path, Entry(entry.place, Node([one], entry.place)))

    def _blame(self, path: Path, entry: Entry, message: str, allowed: str) -> None:
        place = entry.place
        self.problems.append(
            Problem(
                message,
                place.file,
                place.line,
                place.column,
                path_text(path),
                entry.node.said,
                allowed,
            )
        )

    def _blame_twice(self, path: Path, here: Entry, entry: Entry) -> None:
        message = (
            f"says {here.node.said}, but the short form in {_line(entry.place, here.place)} "
            f"says {entry.node.said}; keep one"
        )
        place = here.place
        self.problems.append(
            Problem(message, place.file, place.line, place.column, path_text(path), here.node.said)
        )


def _line(place: Place, other: Place) -> str:
    return f"line {place.line}" if place.file == other.file else f"{place.file}:{place.line}"


def _said(node: Node) -> str:
    if isinstance(node.value, list):
        return "[" + ", ".join(item.said for item in node.value) + "]"
    return node.said


def _text(text: str, entry: Entry) -> Entry:
    return Entry(entry.place, Node(text, entry.node.place, text))


def _is_about(node: Node, what: dict[str, Entry]) -> bool:
    if node.at(("slices",)) is not None:
        return False
    written = {key: node.at((key,)) for key in what}
    return all(e is not None and e.node.value == what[key].node.value for key, e in written.items())


def _number(raw: object) -> object:
    return float(raw) if isinstance(raw, int | float) else raw


def _names(raw: object) -> object:
    return sorted(str(node.value) for node in raw) if isinstance(raw, list) else raw


def _equal(one: Node, other: Node, read: Callable[[object], object]) -> bool:
    try:
        return read(one.value) == read(other.value)
    except ScalarError:
        return True  # the section's own validation says what cannot be read


def _unknown(path: tuple[str, ...], entry: Entry, known: dict[str, str]) -> Problem:
    place, key = entry.place, path[-1]
    nearest = next(iter(get_close_matches(key, known, n=1)), "")
    listed = [name for name in known if not name.startswith("target_")]
    if len(listed) < len(known):
        listed.append("target_ and a metric, such as target_accuracy")
    text, allowed = path_text(path), ", ".join(listed)
    return Problem(
        "is not a key here", place.file, place.line, place.column, text, key, allowed, nearest
    )
