"""Notes on a sound contract: what it became, what it needs, what it cannot reach, what does not act yet."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from setpoint.contract.contract import Contract
from setpoint.contract.gates import BeatsChampionGate, DirectionalGate, FairnessGate, MetricGate
from setpoint.contract.metrics import METRICS
from setpoint.contract.note import Note, Remark
from setpoint.contract.origin import Path, path_text
from setpoint.contract.release_notes import release_remarks
from setpoint.contract.retrain import ForecastTrigger, ScheduleTrigger


@dataclass(frozen=True, slots=True)
class Pending:
    """Something that a contract may say and that does not act yet.

    Args:
        path: Where it is said.
        said: Whether a contract says it.
        what: What it is, in words.
    """

    path: Path
    said: Callable[[Contract], bool]
    what: str


def _source_is(*prefixes: str) -> Callable[[Contract], bool]:
    def said(contract: Contract) -> bool:
        return contract.data is not None and contract.data.source.startswith(prefixes)

    return said


def _written(*path: str) -> Callable[[Contract], bool]:
    """Return whether a contract was given a field, as against its default."""

    def said(contract: Contract) -> bool:
        section: object = contract
        for key in path:
            if key not in getattr(section, "model_fields_set", ()):
                return False
            section = getattr(section, key)
        return True

    return said


def _has_trigger(kind: type) -> Callable[[Contract], bool]:
    return lambda contract: any(isinstance(trigger, kind) for trigger in contract.retrain.when)


PENDING: tuple[Pending, ...] = (  # a capability that is built deletes its line
    Pending(("data", "source"), _source_is("sql:"), "reading rows by a query"),
    Pending(("data", "source"), _source_is("delta:"), "reading Delta tables"),
    Pending(("data", "source"), _source_is("dvc:"), "reading what DVC tracks"),
    Pending(("data", "source"), _source_is("feast:"), "reading features from Feast"),
    Pending(("data", "source"), _source_is("s3://", "gs://"), "reading from object storage"),
    Pending(("train", "command"), _written("train", "command"), "training by a command"),
    Pending(("train", "tune"), _written("train", "tune"), "the search for parameters"),
    Pending(("serve", "runtime"), lambda c: c.serve.runtime == "pyfunc", "the runtime pyfunc"),
    Pending(("serve", "replicas"), _written("serve", "replicas"), "the number of gateways"),
    Pending(("serve", "resources"), _written("serve", "resources"), "what a gateway may take"),
    Pending(("release", "approvals"), lambda c: c.approvals_needed > 0, "waiting for approval"),
    Pending(
        ("monitor", "source"),
        lambda c: c.monitor.source != "gateway",
        "watching the log of a model that something else serves",
    ),
    Pending(("monitor", "schedule"), _written("monitor", "schedule"), "watching on a schedule"),
    Pending(("monitor", "slo"), _written("monitor", "slo"), "watching service level objectives"),
    Pending(("retrain", "when"), _has_trigger(ForecastTrigger), "retraining ahead of a breach"),
    Pending(
        ("retrain", "data"),
        lambda c: c.retrain.data.kind == "since_change",
        "learning from the rows since a change, and not from all,",
    ),
    Pending(("alerts",), lambda c: bool(c.alerts), "sending alerts"),
)
"""What is accepted in a contract and does not act yet."""


def check(contract: Contract, *, champion_metrics: Mapping[str, float] | None = None) -> list[Note]:
    """Return remarks on a contract that parsed: what follows from it, and what will not go as written.

    Args:
        contract: The contract.
        champion_metrics: Value of each metric of the present champion, where there is one.
    """
    remarks: list[Remark] = [
        *_missing(contract),
        *_defaults(contract),
        *_pending(contract),
        *_unreachable(contract, champion_metrics or {}),
        *release_remarks(contract, champion_metrics or {}),
        *_columns(contract),
        *_withheld(contract),
        *_secrets(contract),
        *_schedules_without_time(contract),
    ]
    became = [
        Note("info", one.key, f"{one.value} became {'; '.join(one.into)}", one.place)
        for one in contract.origin.became
    ]
    return became + [
        Note(kind, path_text(path), message, contract.origin.place_of(path))
        for kind, path, message in remarks
    ]


def _missing(contract: Contract) -> Iterator[Remark]:
    if contract.model.task is None:
        yield (
            "warning",
            ("model",),
            "task is not said; commands that train or judge will ask for it",
        )
    if contract.data is None:
        yield "warning", ("data",), "there is no data; commands that need rows will ask for it"
    if not contract.gates:
        yield "warning", ("gates",), "there are no gates, so that no candidate can pass; add one"


def _defaults(contract: Contract) -> Iterator[Remark]:
    if contract.gates and "gates" not in contract.model_fields_set:
        gates = ", ".join(gate.subject for gate in contract.gates)
        yield "info", ("gates",), f"none are written, so these hold: {gates}"
    if contract.axis == "rows":
        message = "there is no time column, so that windows, delays and budgets count rows"
        yield "info", ("data", "time"), message


def _pending(contract: Contract) -> Iterator[Remark]:
    for pending in PENDING:
        if pending.said(contract):
            yield "warning", pending.path, f"{pending.what} is accepted, but does not act yet"


def _unreachable(contract: Contract, metrics: Mapping[str, float]) -> Iterator[Remark]:
    for position, gate in enumerate(contract.gates):
        if isinstance(gate, BeatsChampionGate) and gate.metric in metrics:
            spec, champion = METRICS[gate.metric], metrics[gate.metric]
            needed = gate.beats_champion.moved(champion, spec.better)
            beyond = needed > spec.best if spec.better == "higher" else needed < spec.best
            if beyond or (gate.beats_champion.value > 0 and needed == champion):
                message = (
                    f"cannot be met: the champion has {gate.metric} {champion:g}, so that a candidate "
                    f"would need {needed:g}, and {spec.best:g} is perfect; use not_worse_by"
                )
                yield "warning", ("gates", position, "beats_champion"), message
        if isinstance(gate, MetricGate) and gate.bounds[0] == gate.bounds[1] is not None:
            message = "allows a single value, which no measurement meets but by chance"
            yield "warning", ("gates", position), message


def _columns(contract: Contract) -> Iterator[Remark]:
    if contract.data is None:
        return
    for name in contract.data.left_out:
        reason = contract.data.left_out[name] or "no reason is given"
        yield "info", ("data", "columns", name), f"is left out of the model: {reason}"
    for position, gate in enumerate(contract.gates):
        if isinstance(gate, FairnessGate) and gate.attribute not in contract.data.protected:
            message = f"{gate.attribute} is not among data.protected"
            yield "warning", ("gates", position, "attribute"), message
        if isinstance(gate, DirectionalGate) and gate.directional in contract.data.protected:
            message = f"asks that answers depend on {gate.directional}, which is protected"
            yield "warning", ("gates", position, "directional"), message


def _withheld(contract: Contract) -> Iterator[Remark]:
    """Yield what follows from columns that the prediction log does not keep as they are."""
    if contract.data is None:
        return
    data = contract.data
    rules = data.withheld
    for name, rule in rules.items():
        path: Path = ("data", "columns", name, "log")
        if name != data.key:
            yield "info", path, f"the log has {name} by {rule}, so that its drift is not watched"
        elif rule == "hash":
            yield "info", path, "outcomes by key are still found: they are hashed alike"
        else:
            message = "outcomes cannot be told by key, only by the id of a prediction"
            yield "warning", path, message
    if "hash" in rules.values():
        message = (
            "hashes are made with SETPOINT_LOG_KEY where it is set, else with a salt beside the log"
        )
        yield "info", ("data", "columns"), message


def _secrets(contract: Contract) -> Iterator[Remark]:
    for position, alert in enumerate(contract.alerts):
        if "://" in alert.to and "${" not in alert.to:
            message = "is written out; if it holds a secret, write ${NAME} and set it outside"
            yield "warning", ("alerts", position, "to"), message


def _schedules_without_time(contract: Contract) -> Iterator[Remark]:
    if contract.axis == "time":
        return
    for position, trigger in enumerate(contract.retrain.when):
        if isinstance(trigger, ScheduleTrigger):
            message = "is never due in a replay, which has rows and no time; name data.time"
            yield "warning", ("retrain", "when", position), message
