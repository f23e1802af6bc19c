"""What to fit, read off the contract."""

from collections.abc import Mapping

from setpoint.contract.contract import Contract
from setpoint.contract.data import Column
from setpoint.errors import DataError
from setpoint.facts.classes import label_text
from setpoint.facts.training import Feature, Recipe

_KINDS = frozenset({"int", "float", "bool", "category", "text"})


def recipe_of(contract: Contract, inputs: Mapping[str, str], *, seed: int | None = None) -> Recipe:
    """Return what the contract says to fit.

    Args:
        contract: Has a section `data` and a task.
        inputs: Type by name of the columns that are inputs, in order. Dates are left out: no estimator takes them.
        seed: Seed in place of the contract's, such as a later attempt's.

    Raises:
        ContractError: The contract has no section `data`, or no task.
        DataError: No input column is left, or the log cannot keep of one what the contract says.
    """
    data = contract.require_data()
    set_apart = {data.target, data.time, data.key}
    features = tuple(
        _feature(name, kind, data.columns.get(name))
        for name, kind in inputs.items()
        if kind in _KINDS and name not in set_apart and name not in data.left_out
    )
    if not features:
        msg = f"no input column is left beside the target {data.target!r}"
        raise DataError(msg)
    train = contract.train
    return Recipe(
        estimator=train.estimator,
        params=dict(train.params),
        task=contract.require_task(),
        target=data.target,
        positive="" if data.positive is None else label_text(data.positive),
        features=features,
        threshold=train.threshold,
        seed=train.seed if seed is None else seed,
        time_limit_s=float(train.limits.time),
        memory_limit=int(train.limits.memory),
    )


def _feature(name: str, kind: str, rules: Column | None) -> Feature:
    if rules is None:
        return Feature(name=name, kind=kind)
    return Feature(
        name=name,
        kind=kind,
        low=_number(rules.min),
        high=_number(rules.max),
        values=None if rules.values is None else tuple(label_text(value) for value in rules.values),
        nullable=rules.nulls is None or rules.nulls > 0,
        log=_log_rule(name, kind, rules),
    )


def _log_rule(name: str, kind: str, rules: Column) -> str:
    """Return what the log keeps of a column; the kind of one that has no type in the contract is known only here."""
    how, is_number = rules.log.how, kind in {"int", "float"}
    if (how == "round" and not is_number) or (how == "first" and kind not in {"category", "text"}):
        msg = f"data.columns.{name}.log: {rules.log} is not for a column of kind {kind}"
        raise DataError(msg)
    return str(rules.log)


def _number(bound: float | str | None) -> float | None:
    return None if bound is None or isinstance(bound, str) else float(bound)
