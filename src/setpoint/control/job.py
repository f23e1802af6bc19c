"""What a training job is asked for: rows with a part for life, and what the gates will need measured."""

from dataclasses import dataclass

import msgspec
import numpy as np
import pyarrow as pa

from setpoint.contract.contract import Contract
from setpoint.contract.gates import (
    BeatsBaselineGate,
    BeatsChampionGate,
    DirectionalGate,
    Gate,
    InvariantGate,
    NotWorseGate,
)
from setpoint.contract.metrics import NAIVE
from setpoint.control.rows import LabelledRows, positions
from setpoint.data.columns import columns_of, inputs_of
from setpoint.data.parts import Parts, hash_test_share, hashed_columns, parts, seen_by_hash
from setpoint.digest import sha256_json
from setpoint.facts.evidence import Bools, Floats, Ints
from setpoint.facts.log_rule import KEEP
from setpoint.facts.snapshot import Snapshot
from setpoint.facts.training import Perturb, TrainingJob
from setpoint.facts.version import ModelVersion, Seen
from setpoint.ports.tables import Tables
from setpoint.training.recipe import recipe_of


@dataclass(frozen=True)
class Ask:
    """What is asked of one attempt.

    Args:
        snapshot: Which rows.
        seed: Seed of the fit.
        champion: The version to measure on the same rows, if any.
        wall_clock: Whether times are measured, and the model converted for gateways.
        shuffle_labels: Whether to fit on shuffled labels, for the self-test of the gates.
        whole: Whether to fit on all rows, without a test part.
    """

    snapshot: Snapshot
    seed: int
    champion: ModelVersion | None = None
    wall_clock: bool = True
    shuffle_labels: bool = False
    whole: bool = False


@dataclass(frozen=True)
class Drafted:
    """A training job, before it is done.

    Args:
        job: The job.
        seen: Rows that its candidate will have trained on.
        fit: Positions of the rows to fit on.
    """

    job: TrainingJob
    seen: Seen
    fit: Ints


def draft_job(rows: LabelledRows, contract: Contract, ask: Ask, tables: Tables) -> Drafted:
    """Return the training job of an attempt.

    Raises:
        DataError: No input column is left.
    """
    data = contract.require_data()
    chosen = positions(ask.snapshot.ranges)
    table = rows.rows.take(pa.array(chosen))
    split = _parts(table, contract, rows, ask)
    fit, validation, test = (chosen[part] for part in (split.fit, split.validation, split.test))
    unseen = unseen_by(ask.champion, rows, contract, test)
    stored = tables.put_rows(
        {"fit": fit, "validation": validation, "test": test, "champion_unseen": unseen}
    )
    inputs = {use.name: use.type for use in inputs_of(contract, rows.rows)}
    kept = tuple(
        use.name for use in columns_of(contract, rows.rows) if use.name in _looked_at(contract)
    )
    job = TrainingJob(
        key="",
        model=contract.model.name,
        contract=contract.digest,
        recipe=recipe_of(contract, inputs, seed=ask.seed),
        table=rows.table,
        rows=stored,
        ordered=_by_order(contract, rows),
        axis_column=data.time or "",
        key_column=data.key or "",
        key_log=data.withheld.get(data.key or "", KEEP),
        label_delay_rows=_delay_rows(rows.at[chosen], contract),
        champion="" if ask.champion is None else ask.champion.artifact,
        columns=kept,
        baselines=_baselines(contract),
        perturbs=_perturbs(contract.gates),
        measure_latency=ask.wall_clock and any(gate.kind == "latency" for gate in contract.gates),
        convert=ask.wall_clock and contract.serve.runtime in ("auto", "onnx"),
        shuffle_labels=ask.shuffle_labels,
    )
    job = msgspec.structs.replace(job, key=_key(job))
    return Drafted(job, _seen(rows, contract, fit, ask), fit)


def unseen_by(
    champion: ModelVersion | None, rows: LabelledRows, contract: Contract, test: Ints
) -> Bools:
    """Return which of the rows at positions `test` the champion did not train on, shape (rows,)."""
    if champion is None:
        return np.ones(test.size, dtype=bool)
    seen = champion.seen
    if seen.by == "hash":
        table = rows.rows.take(pa.array(test))
        columns = hashed_columns(table, contract)
        trained = seen_by_hash(table, columns, seed=seen.seed, test_share=seen.test_share)
        return ~trained
    if seen.table == rows.table:
        return np.asarray(test >= seen.until_row)
    if seen.until is not None and rows.contract.axis == "time":
        return np.asarray(rows.at[test] > seen.until)
    return np.zeros(test.size, dtype=bool)


def _parts(table: pa.Table, contract: Contract, rows: LabelledRows, ask: Ask) -> Parts:
    if not ask.whole:
        return parts(table, contract, _by_order(contract, rows), contract.train.seed)
    target = table.column(contract.require_data().target)
    labelled = np.flatnonzero(target.is_valid().to_numpy())
    none = np.empty(0, dtype=np.int64)
    return Parts(labelled, none, labelled[-min(labelled.size, 1000) :])


def _by_order(contract: Contract, rows: LabelledRows) -> bool:
    return rows.ordered and contract.train.split.by != "hash"


def _seen(rows: LabelledRows, contract: Contract, fit: Ints, ask: Ask) -> Seen:
    if _by_order(contract, rows) or ask.whole:
        last = int(fit[-1]) if fit.size else -1
        return Seen(
            by="time",
            table=rows.table,
            until_row=last + 1,
            until=float(rows.at[last]) if fit.size else None,
        )
    share = hash_test_share(contract.train.split.test, ask.snapshot.rows)
    return Seen(by="hash", table=rows.table, seed=contract.train.seed, test_share=share)


def _key(job: TrainingJob) -> str:
    """Name the job by what it does: the row file's digest, not its folder; not by gates that it knows nothing of.

    Nor by what the prediction log keeps: the deployment document tells gateways that.
    """
    plain = msgspec.to_builtins(job)
    del plain["contract"], plain["key"], plain["key_log"]
    for feature in plain["recipe"]["features"]:
        del feature["log"]
    plain["rows"] = job.rows.rpartition("/")[2]
    return sha256_json(plain)


def _delay_rows(at: Floats, contract: Contract) -> int:
    """Return how many rows lie between a row and the last one whose label is known at its moment."""
    delay = contract.label_delay.value
    if contract.axis == "rows":
        return max(0, int(delay) - 1)
    if delay <= 0 or at.size < 2:  # noqa: PLR2004 - a rate needs two instants
        return 0
    spent = float(at[-1] - at[0])
    return int(np.ceil(delay * at.size / spent)) if spent > 0 else 0


def _baselines(contract: Contract) -> tuple[str, ...]:
    named = {gate.beats for gate in contract.gates if isinstance(gate, BeatsBaselineGate)}
    if any(isinstance(gate, BeatsChampionGate | NotWorseGate) for gate in contract.gates):
        named.add(NAIVE[contract.require_task()])  # what a first candidate is held against instead
    return tuple(sorted(named))


def _perturbs(gates: tuple[Gate, ...]) -> tuple[Perturb, ...]:
    found = []
    for position, gate in enumerate(gates):
        if isinstance(gate, InvariantGate):
            found.append(Perturb(gate=position, column=gate.invariant_to))
        elif isinstance(gate, DirectionalGate):
            found.append(Perturb(gate=position, column=gate.directional, add=float(gate.add)))
    return tuple(found)


def _looked_at(contract: Contract) -> set[str]:
    """Return the columns that slices and fairness look at."""
    found: set[str] = set()
    for gate in contract.gates:
        found.update(getattr(gate, "slices", ()))
        if hasattr(gate, "attribute"):
            found.add(gate.attribute)
    return found
