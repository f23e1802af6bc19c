"""Why a retrain that is due would be no use on the rows of now: they fail their checks, or give the champion again."""

from setpoint.contract.contract import Contract
from setpoint.control.admitting import check_table, why_blocked
from setpoint.control.drafting import champions_job, learnt_from, snapshot_now
from setpoint.control.job import Ask
from setpoint.control.rows import LabelledRows
from setpoint.control.world import World
from setpoint.digest import sha256_json
from setpoint.facts.snapshot import name_snapshot
from setpoint.facts.state import Hold, LoopState


def held_back(
    world: World, contract: Contract, state: LoopState, rows: LabelledRows
) -> Hold | None:
    """Return why no retrain should start on the rows of now; None where nothing speaks against it.

    What was found before about the same rows is taken from the state; only other rows are looked at.
    """
    known = rows.known(world.clock.now())
    snapshot = name_snapshot(rows.table, learnt_from(rows, contract, state, known))
    about = sha256_json([snapshot, contract.digest, state.champion, sorted(state.accepted)])
    if state.hold is not None and state.hold.about == about:
        return state.hold
    if not rows.unfolding:  # what unfolds is checked batch by batch, as it comes in
        report = check_table(contract, state, rows)
        if report.blocking:
            verdicts = tuple(check.verdict for check in report.blocking)
            return Hold(about=about, reason=why_blocked(report), verdicts=verdicts)
    if _gives_champion_again(world, contract, state, rows, snapshot):
        return Hold(about=about, reason="the same rows and recipe would give the champion again")
    return None


def _gives_champion_again(
    world: World, contract: Contract, state: LoopState, rows: LabelledRows, snapshot: str
) -> bool:
    champion = state.versions.get(str(state.champion))
    if champion is None or champion.lineage.snapshot != snapshot:
        return False
    ask = Ask(
        snapshot=snapshot_now(rows, contract, state, rows.known(world.clock.now())),
        seed=contract.train.seed,
        champion=champion,
        wall_clock=world.wall_clock,
    )
    return champions_job(world, contract, state, rows, ask) is not None
