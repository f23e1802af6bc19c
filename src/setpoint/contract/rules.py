"""Rules that hold between sections: what no section can see alone."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from setpoint.contract.conditions import Condition
from setpoint.contract.contract import Contract
from setpoint.contract.data import Data
from setpoint.contract.gates import (
    BeatsBaselineGate,
    DirectionalGate,
    FairnessGate,
    InvariantGate,
    MetricGate,
    SlicesGate,
)
from setpoint.contract.history import History
from setpoint.contract.metrics import METRICS, NAIVE, Average, MetricName, Task
from setpoint.contract.origin import Path
from setpoint.contract.release import OutcomeGuardrail
from setpoint.contract.spans import Span

_DAY = 86400.0  # seconds
_ROWS_A_DAY = 1000  # only to suggest a row form of about the same meaning
_EITHER: Path = ("retrain", "data")  # rows are a natural measure here on any axis


@dataclass(frozen=True, slots=True)
class Broken:
    """A rule between sections that a contract breaks.

    Args:
        path: Where.
        message: What is wrong.
        found: What stands there.
        allowed: What could stand there.
    """

    path: Path
    message: str
    found: str = ""
    allowed: str = ""


def broken_rules(contract: Contract) -> list[Broken]:
    """Return every rule between sections that the contract breaks."""
    return [
        *_spans_off_axis(contract),
        *_split_is_too_much(contract),
        *_columns_clash(contract),
        *_metrics_of_other_tasks(contract),
        *_gates_of_other_tasks(contract),
        *_limits_out_of_reach(contract),
        *_gates_on_target(contract),
    ]


def _spans_off_axis(contract: Contract) -> Iterator[Broken]:
    if contract.data is None:
        return  # without data there is no axis yet
    for path, span in _spans(contract, ()):
        if span.value == 0:
            continue
        if contract.axis == "rows" and span.unit == "seconds":
            rows = max(1, round(span.value / _DAY)) * _ROWS_A_DAY
            message = "is a time, but the data has no time column: count rows, or name data.time"
            yield Broken(path, message, str(span), f"a number of rows, such as {rows} rows")
        elif contract.axis == "time" and span.unit == "rows" and path[:2] != _EITHER:
            message = "counts rows, but the data has a time column, so that spans are times"
            yield Broken(path, message, str(span), "a duration such as 24h")


def _spans(value: object, path: Path) -> Iterator[tuple[Path, Span]]:
    """Yield every span of a contract with its path."""
    if isinstance(value, Span):
        yield path, value
    elif isinstance(value, Condition):
        if isinstance(value.value, Span):
            yield path, value.value
    elif isinstance(value, History):
        if value.last is not None:
            yield path, value.last
    elif isinstance(value, BaseModel):
        for name, field in type(value).model_fields.items():
            yield from _spans(getattr(value, name), (*path, field.alias or name))
    elif isinstance(value, tuple):
        for position, item in enumerate(value):
            yield from _spans(item, (*path, position))


def _split_is_too_much(contract: Contract) -> Iterator[Broken]:
    split = contract.train.split
    if split.test.share is not None and split.validation + split.test.share >= 1:
        message = "and validation leave no rows to fit on"
        yield Broken(
            ("train", "split", "test"), message, str(split.test), "less than 100% together"
        )


def _columns_clash(contract: Contract) -> Iterator[Broken]:
    data = contract.data
    if data is None:
        return
    for role in ("time", "key"):
        if getattr(data, role) == data.target:
            yield Broken(("data", role), "is the target", data.target, "another column")
    for role in ("target", "time", "key"):
        name = getattr(data, role)
        column = data.columns.get(name) if name is not None else None
        if column is not None and not column.use:
            message = f"leaves out the {role}, which is no input anyway"
            yield Broken(("data", "columns", name, "use"), message, "false", "no use here")
    yield from _logged_roles(data)
    if data.positive is not None and contract.model.task not in {None, "binary"}:
        message = f"belongs to a binary task, not to {contract.model.task}"
        yield Broken(("data", "positive"), message, str(data.positive))


def _logged_roles(data: Data) -> Iterator[Broken]:
    """Yield what is said of the log of columns that it does not hold, or not as numbers."""
    for role in ("target", "time"):
        column = data.columns.get(getattr(data, role) or "")
        if column is not None and column.log.how != "keep":
            path: Path = ("data", "columns", getattr(data, role), "log")
            yield Broken(path, f"is of the {role}, which no request has", str(column.log), "no log")
    column = data.columns.get(data.key or "")
    if column is not None and column.log.how == "round":
        path = ("data", "columns", data.key or "", "log")
        yield Broken(path, "is of the key, which is logged as text", str(column.log), "hash, drop")


def _named_metrics(contract: Contract) -> Iterator[tuple[Path, MetricName]]:
    for position, gate in enumerate(contract.gates):
        metric = getattr(gate, "metric", None)
        if metric is not None:
            yield ("gates", position, "metric"), metric
    for position, guardrail in enumerate(contract.release.guardrails):
        if isinstance(guardrail, OutcomeGuardrail):
            yield ("release", "guardrails", position, "outcome"), guardrail.outcome
    if contract.monitor.performance.metric is not None:
        yield ("monitor", "performance", "metric"), contract.monitor.performance.metric
    for position, trigger in enumerate(contract.retrain.when):
        condition = getattr(trigger, "forecast", trigger)
        if isinstance(condition, Condition) and condition.signal == "performance.<metric>":
            metric_name: Any = condition.subject
            yield ("retrain", "when", position), metric_name


def _metrics_of_other_tasks(contract: Contract) -> Iterator[Broken]:
    task = contract.model.task
    if task is None:
        return
    for path, metric in _named_metrics(contract):
        if task not in METRICS[metric].tasks:
            allowed = ", ".join(name for name, spec in METRICS.items() if task in spec.tasks)
            yield Broken(path, f"is no metric of a {task} task", metric, allowed)


def _gates_of_other_tasks(contract: Contract) -> Iterator[Broken]:
    task = contract.model.task
    if task is None:
        return
    for position, gate in enumerate(contract.gates):
        path: Path = ("gates", position)
        average: Average | None = getattr(gate, "average", None)
        if average is not None:
            yield from _average_fits(path, gate.metric, average, task)  # type: ignore[union-attr]
        if getattr(gate, "threshold", None) is not None and task != "binary":
            yield Broken((*path, "threshold"), f"belongs to a binary task, not to {task}")
        if isinstance(gate, BeatsBaselineGate) and gate.beats not in {NAIVE[task], "no_change"}:
            message = f"is no baseline of a {task} task"
            yield Broken((*path, "beats"), message, gate.beats, f"{NAIVE[task]}, no_change")
        if isinstance(gate, FairnessGate) and task != "binary":
            message = f"compares shares of positive answers, which a {task} task has not"
            yield Broken((*path, "fairness"), message, gate.fairness)


def _average_fits(path: Path, metric: MetricName, average: Average, task: Task) -> Iterator[Broken]:
    if not METRICS[metric].averaged and metric != "roc_auc":
        message = f"is given for {metric}, which is not averaged over classes"
        yield Broken((*path, "average"), message, average, "no average here")
    elif average == "binary" and task != "binary":
        message = f"looks at the positive class, which a {task} task has not"
        yield Broken((*path, "average"), message, average, "macro, micro, weighted")


def _limits_out_of_reach(contract: Contract) -> Iterator[Broken]:
    for position, gate in enumerate(contract.gates):
        if isinstance(gate, MetricGate | SlicesGate):
            yield from _limit_out_of_reach(("gates", position), gate)


def _limit_out_of_reach(path: Path, gate: MetricGate | SlicesGate) -> Iterator[Broken]:
    spec = METRICS[gate.metric]
    low, high = gate.bounds
    key = "between" if gate.between is not None else ""
    if spec.better == "higher" and low is not None and low > spec.best:
        message = f"asks for more than a perfect {gate.metric}, which is {spec.best:g}"
        yield Broken((*path, key or "min"), message, f"{low:g}", f"{spec.best:g} or less")
    if spec.better == "lower" and high is not None and high < spec.best:
        message = f"asks for less than a perfect {gate.metric}, which is {spec.best:g}"
        yield Broken((*path, key or "max"), message, f"{high:g}", f"{spec.best:g} or more")


def _gates_on_target(contract: Contract) -> Iterator[Broken]:
    if contract.data is None:
        return
    for position, gate in enumerate(contract.gates):
        for key in ("attribute", "invariant_to", "directional"):
            if getattr(gate, key, None) == contract.data.target:
                path: Path = ("gates", position, key)
                yield Broken(path, "is the target", contract.data.target, "another column")
        if isinstance(gate, InvariantGate | DirectionalGate):
            yield from _no_input(contract, position, gate)


def _no_input(
    contract: Contract, position: int, gate: InvariantGate | DirectionalGate
) -> Iterator[Broken]:
    key = gate.kind
    name: str = getattr(gate, key)
    column = contract.require_data().columns.get(name)
    if column is None:
        return
    if not column.use and isinstance(gate, DirectionalGate):
        message = "is left out, so that no answer can depend on it"
        yield Broken(("gates", position, key), message, name, "an input of the model")
    if isinstance(gate, DirectionalGate) and column.type in {
        "category",
        "text",
        "bool",
        "datetime",
    }:
        message = f"is a {column.type} column, to which nothing can be added"
        yield Broken(("gates", position, key), message, name, "a column of numbers")
