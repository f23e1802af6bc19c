"""The command `run`: one pass that a person asked for: snapshot, validate, fit, gates, register, release."""

from dataclasses import dataclass, field

import msgspec

from setpoint.contract.contract import Contract
from setpoint.control import admitting, attempting
from setpoint.control.change import change, commit
from setpoint.control.last_run import note_run, run_key
from setpoint.control.reconcile import current, work
from setpoint.control.rows import LabelledRows
from setpoint.control.world import World
from setpoint.errors import JournalError
from setpoint.facts.decision import Action, Decision
from setpoint.facts.report import ValidationReport
from setpoint.facts.run import RunResult
from setpoint.facts.state import Attempt, LoopState
from setpoint.facts.verdict import Ruling, combine
from setpoint.gates.self_test import SUBJECT, judge_shuffles

_STAGE_OF: dict[Action, str] = {
    "fit": "fit",
    "judge": "gates",
    "refuse": "gates",
    "register": "register",
    "release": "release",
    "promote": "release",
}
_ASIDE: tuple[Action, ...] = ("put_back", "renew")  # told beside what became of the candidate
_MOST_STEPS = 20


@dataclass(frozen=True)
class RunWish:
    """What a person asks of a pass.

    Args:
        source: Digest of the source's bytes.
        lock: Digest of the installed packages.
        accept: Checks that the person accepts.
        self_test: Fit on shuffled labels, which the gates must refuse; nothing is registered or released.
    """

    source: str
    lock: str
    accept: tuple[str, ...] = ()
    self_test: bool = False


@dataclass
class _Watch:
    """Seconds by stage."""

    world: World
    stages: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.begun = self.world.clock.stopwatch()
        self._last = self.begun

    def lap(self, stage: str) -> None:
        now = self.world.clock.stopwatch()
        self.stages[stage] = self.stages.get(stage, 0.0) + now - self._last
        self._last = now


def run(world: World, contract: Contract, wish: RunWish) -> RunResult:
    """Make one pass and return what it came to.

    Raises:
        DataError: The source cannot be read.
        StaleStateError: Somebody else committed meanwhile; run again.
    """
    watch = _Watch(world)
    state = _accept(world, contract, wish)
    rows = world.rows()
    watch.lap("snapshot")
    world.notice(f"{rows.rows.num_rows:,} rows")
    resumed = None if wish.self_test else _resumable(state, rows, contract)
    report = admitting.check_table(contract, state, rows)
    watch.lap("validate")
    if report.blocking and resumed is None:
        return _blocked(world, contract, report, watch)
    if wish.self_test:
        return _self_test(world, contract, rows, watch)
    wanted = attempting.Wanted(attempting.BY_HAND, "a person asked for it")
    result = _attempt(world, contract, resumed or _open(world, contract, rows, wanted), watch)
    state, revision = current(world, contract)
    key = run_key(
        contract=contract.digest, source=wish.source, lock=wish.lock, accepted=state.accepted
    )
    world.journal.commit(revision, note_run(state, key, result), ())
    return result


def _self_test(world: World, contract: Contract, rows: LabelledRows, watch: _Watch) -> RunResult:
    """Fit on one shuffle of the labels after another, until they say what the gates are worth."""
    judged: list[RunResult] = []
    ruling = None
    while ruling is None:
        wanted = attempting.Wanted(
            attempting.BY_HAND,
            f"a self-test: labels are shuffled, shuffle {len(judged) + 1}",
            seed=contract.train.seed + len(judged),
            shuffle_labels=True,
        )
        one = _attempt(world, contract, _open(world, contract, rows, wanted), watch)
        if one.gates[0].subject != SUBJECT:  # the fit failed: another shuffle would, too
            return one
        judged.append(one)
        ruling = judge_shuffles([each.gates[0] for each in judged])
    shown = next((one for one in judged if one.verdict == ruling.verdict), judged[-1])
    return msgspec.structs.replace(
        shown,
        verdict=ruling.verdict,
        gates=(ruling, *shown.gates[1:]),
        reason=ruling.reason,
        reused=(),
        stages=watch.stages,
        seconds=world.clock.stopwatch() - watch.begun,
    )


def _attempt(world: World, contract: Contract, attempt: Attempt, watch: _Watch) -> RunResult:
    reused = _reused(world, attempt)
    decisions = _carry_out(world, contract, watch)
    return _result(world, contract, attempt, decisions, watch, reused)


def _accept(world: World, contract: Contract, wish: RunWish) -> LoopState:
    state, revision = current(world, contract)
    accepted = admitting.accept(state, wish.accept, now=world.clock.now())
    if accepted is None:
        return state
    commit(world, revision, accepted)
    return accepted.state


def _resumable(state: LoopState, rows: LabelledRows, contract: Contract) -> Attempt | None:
    """Return the attempt that a pass which died left open, if this pass would open the same."""
    attempt = state.attempt
    if attempt is None or attempt.job.shuffle_labels:
        return None
    is_same = attempt.snapshot.table == rows.table and attempt.job.contract == contract.digest
    return attempt if is_same else None


def _open(
    world: World, contract: Contract, rows: LabelledRows, wanted: attempting.Wanted
) -> Attempt:
    state, revision = current(world, contract)
    opened = attempting.open_attempt(
        world, contract, msgspec.structs.replace(state, attempt=None), rows, wanted
    )
    if opened.state.attempt is None:
        raise JournalError("the attempt was not opened")
    commit(world, revision, opened)
    return opened.state.attempt


def _carry_out(world: World, contract: Contract, watch: _Watch) -> list[Decision]:
    """Take the steps of the attempt to their end: refused, or on its way to production."""
    taken: list[Decision] = []
    for _ in range(_MOST_STEPS):
        decision = work(world, contract)
        if decision.action == "wait":
            break
        taken.append(decision)
        watch.lap(_stage_of(decision))
    return taken


def _stage_of(decision: Decision) -> str:
    if any(verdict.subject == attempting.FIT for verdict in decision.verdicts):
        return "fit"  # refused for it, before any gate
    return _STAGE_OF.get(decision.action, "release")


def _reused(world: World, attempt: Attempt) -> tuple[str, ...]:
    return ("fit",) if world.jobs.finished(attempt.job.key) is not None else ()


def _result(
    world: World,
    contract: Contract,
    attempt: Attempt,
    decisions: list[Decision],
    watch: _Watch,
    reused: tuple[str, ...],
) -> RunResult:
    state, _ = current(world, contract)
    finished = world.jobs.finished(attempt.job.key)
    steps = [one for one in decisions if one.action not in _ASIDE]
    judged = [one for one in decisions if one.action in ("judge", "refuse")]
    verdicts = judged[-1].verdicts if judged else attempt.verdicts
    registered = [one.version for one in decisions if one.action == "register"]
    version = registered[-1] if registered else None
    artifact = state.versions[str(version)].artifact if version else ""
    ruling: Ruling = combine(verdicts)
    if attempt.job.shuffle_labels and verdicts:
        ruling = verdicts[0].verdict
    return RunResult(
        verdict=ruling,
        model=contract.model.name,
        version=version,
        champion=state.champion,
        bundle=str(world.bundles.find(artifact)) if artifact else "",
        metrics={} if finished is None else finished.metrics,
        gates=verdicts,
        stages=watch.stages,
        reused=reused,
        seconds=world.clock.stopwatch() - watch.begun,
        reason=steps[-1].reason if steps else "nothing was left to do",
        notes=tuple(one.reason for one in decisions if one.action in _ASIDE),
        attempt=attempt.id,
        job=attempt.job.key,
    )


def _blocked(
    world: World, contract: Contract, report: ValidationReport, watch: _Watch
) -> RunResult:
    state, revision = current(world, contract)
    reason = admitting.why_blocked(report)
    told = change(
        state,
        "block",
        reason,
        at=world.clock.now(),
        verdicts=tuple(check.verdict for check in report.blocking),
    )
    commit(world, revision, told)
    return RunResult(
        verdict="fail",
        model=contract.model.name,
        champion=state.champion,
        stages=watch.stages,
        seconds=world.clock.stopwatch() - watch.begun,
        reason=reason,
        blocked=report,
    )
