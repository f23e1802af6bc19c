"""Whether anything changed since the last pass. Decided from state alone, without reading a table."""

import msgspec

from setpoint.digest import sha256_json
from setpoint.facts.run import RunResult
from setpoint.facts.state import LoopState

STAGES = ("snapshot", "validate", "fit", "gates", "register", "release")


def run_key(*, contract: str, source: str, lock: str, accepted: tuple[str, ...]) -> str:
    """Return the digest of everything a pass follows from: contract, bytes of the source, packages, acceptances."""
    return sha256_json([contract, source, lock, sorted(accepted)])


def unchanged(state: LoopState | None, key: str) -> RunResult | None:
    """Return the last pass's result, all reused, where nothing changed and nothing is left to do; else None."""
    if state is None or state.attempt is not None or state.proposed:
        return None
    if state.last_run.get("key") != key:
        return None
    last = msgspec.convert(state.last_run["result"], RunResult)
    return msgspec.structs.replace(
        last, champion=state.champion, stages=dict.fromkeys(STAGES, 0.0), reused=STAGES, notes=()
    )


def note_run(state: LoopState, key: str, result: RunResult) -> LoopState:
    """Return the state with a finished pass noted in it."""
    plain = msgspec.to_builtins(result)
    return msgspec.structs.replace(state, last_run={"key": key, "result": plain})
