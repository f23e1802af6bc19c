"""The contract: all sections together, with the defaults that follow from them."""

from typing import Any, Self, TypeVar

from pydantic import Field, PrivateAttr, model_validator

from setpoint.clock import Axis
from setpoint.contract.alerts import Alert
from setpoint.contract.canonical import canonical
from setpoint.contract.data import Data
from setpoint.contract.gates import BeatsBaselineGate, Gate, NotWorseGate
from setpoint.contract.metrics import NAIVE, PRIMARY_METRIC, MetricName, Task
from setpoint.contract.model import Model
from setpoint.contract.monitor import Monitor
from setpoint.contract.origin import Origin
from setpoint.contract.release import Release
from setpoint.contract.retrain import Retrain
from setpoint.contract.section import Section
from setpoint.contract.serve import Serve
from setpoint.contract.shares import Change
from setpoint.contract.spans import Span
from setpoint.contract.train import Train
from setpoint.digest import canonical_json, sha256_json
from setpoint.errors import ContractError, Problem

_S = TypeVar("_S", bound=Section)
_RISKS = ("low", "medium", "high")
_ROWS = Span(1000, "rows")  # default window and cool-down of a contract without time
_MANY_ROWS = Span(50_000, "rows")
_BUDGET_ROWS = Span(10_000, "rows")


class Contract(Section):
    """What was promised of one model. Equal contracts have equal digests, however they were written."""

    model: Model = Field(description="What the model is, who owns it and what it is for.")
    data: Data | None = Field(
        None, description="Where rows come from and what they must look like."
    )
    train: Train = Field(Train(), description="How a candidate is made.")
    gates: tuple[Gate, ...] = Field(
        default_factory=tuple,  # never left out of the canonical form: none is not the default
        description="Checks of a candidate. Default: beats the naive baseline, and is not worse by 2%.",
    )
    serve: Serve = Field(Serve(), description="How a version answers.")
    release: Release = Field(Release(), description="How a candidate gets the traffic.")
    monitor: Monitor = Field(Monitor(), description="What is watched, and what counts as a breach.")
    retrain: Retrain = Field(Retrain(), description="When a new candidate is made.")
    alerts: tuple[Alert, ...] = Field((), description="Who is told about what.")

    _origin: Origin = PrivateAttr(default_factory=Origin)

    @model_validator(mode="after")
    def _fill_defaults(self) -> Self:
        """Fill in the defaults that follow from other sections: task, and axis."""
        task = self.model.task
        if task is not None:
            metric = self.primary_metric
            if "gates" not in self.model_fields_set:
                self._set(gates=_default_gates(task))
            if self.monitor.performance.metric is None:
                performance = self.monitor.performance.model_copy(update={"metric": metric})
                self._set(monitor=self.monitor.model_copy(update={"performance": performance}))
        if self.axis == "rows":
            budget = _with_defaults(self.retrain.budget, per=_BUDGET_ROWS)
            retrain = self.retrain.model_copy(update={"budget": budget})
            self._set(
                monitor=_with_defaults(self.monitor, window=_ROWS),
                release=_with_defaults(self.release, strategy="direct", max_duration=_MANY_ROWS),
                retrain=_with_defaults(retrain, cooldown=_ROWS),
            )
        return self

    def _set(self, **sections: Any) -> None:
        """Replace sections while the contract is being made; it is frozen from then on."""
        self.__dict__.update(sections)

    @property
    def axis(self) -> Axis:
        """`rows` for data without a time column, else `time`. All spans are in its unit."""
        return "rows" if self.data is not None and self.data.time is None else "time"

    @property
    def label_delay(self) -> Span:
        """How long after its row a label is known, on the contract's axis; 0 where unstated."""
        delay = self.monitor.performance.label_delay
        if delay is None or delay.value == 0:
            return Span(0.0, "rows" if self.axis == "rows" else "seconds")
        return delay

    @property
    def features_declared(self) -> tuple[str, ...]:
        """Declared columns that are inputs (not left out, nor target, time or key), by name."""
        if self.data is None:
            return ()
        others = {self.data.target, self.data.time, self.data.key}
        columns = sorted(self.data.columns.items())
        return tuple(name for name, column in columns if column.use and name not in others)

    @property
    def primary_metric(self) -> MetricName | None:
        """The metric that stands for the model: the watched one, else the task's own."""
        watched = self.monitor.performance.metric
        if watched is not None or self.model.task is None:
            return watched
        return PRIMARY_METRIC[self.model.task]

    @property
    def approvals_needed(self) -> int:
        """How many people must approve a release of this model."""
        risk, limit = self.model.risk, self.release.approvals.risk
        if risk is None or _RISKS.index(risk) < _RISKS.index(limit):
            return 0
        return self.release.approvals.people

    def set_origin(self, origin: Origin) -> None:
        """Note where the contract was read from; changes nothing of what it promises."""
        self._origin = origin

    @property
    def origin(self) -> Origin:
        """Where it was read from, with the place of each path."""
        return self._origin

    @property
    def plain(self) -> dict[str, Any]:
        """The canonical form as plain data."""
        plain: dict[str, Any] = canonical(self)
        return plain

    @property
    def text(self) -> str:
        """The canonical form as JSON text, which `restore` reads back."""
        return canonical_json(self.plain)

    @property
    def digest(self) -> str:
        """SHA-256 of the canonical form: names the contract."""
        return sha256_json(self.plain)

    def digest_of(self, *sections: str) -> str:
        """Return the digest of some sections, for work that depends on these alone."""
        return sha256_json({name: self.plain.get(name) for name in sections})

    def require_data(self) -> Data:
        """Return the section `data`.

        Raises:
            ContractError: The contract has none.
        """
        if self.data is not None:
            return self.data
        raise self._missing("data", "this needs rows", "data: {source: path, target: column}")

    def require_task(self) -> Task:
        """Return what is predicted.

        Raises:
            ContractError: The contract does not say.
        """
        if self.model.task is not None:
            return self.model.task
        raise self._missing(
            "model.task", "this needs to know what is predicted", "binary, multiclass or regression"
        )

    def _missing(self, path: str, why: str, allowed: str) -> ContractError:
        place = self._origin.place_of(("model",))
        message = f"is missing, and {why}"
        return ContractError(
            [Problem(message, place.file, place.line, place.column, path, "", allowed)]
        )

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Contract) and self.digest == other.digest

    def __hash__(self) -> int:
        return hash(self.digest)


def _with_defaults(section: _S, **defaults: Any) -> _S:
    """Return the section with other defaults, for the fields that were not written."""
    missing = {k: v for k, v in defaults.items() if k not in section.model_fields_set}
    return section.model_copy(update=missing)


def _default_gates(task: Task) -> tuple[Gate, ...]:
    metric = PRIMARY_METRIC[task]
    return (
        BeatsBaselineGate(metric=metric, beats=NAIVE[task]),
        NotWorseGate(metric=metric, not_worse_by=Change(0.02, relative=True)),
    )
