"""The loop's state: what it must remember between two passes. One record, changed by compare-and-swap."""

from typing import Any, Literal

import msgspec

from setpoint.facts.deployment import Deployment
from setpoint.facts.release import Release, Watch
from setpoint.facts.snapshot import Snapshot
from setpoint.facts.training import TrainingJob
from setpoint.facts.verdict import Verdict
from setpoint.facts.version import ModelVersion, Seen


class Attempt(msgspec.Struct, frozen=True, kw_only=True):
    """One way of a candidate from trigger to version. Its stage says what is done; redoing a stage is harmless.

    Args:
        id: Names the attempt; the registry is searched for it.
        stage: `opened`, `fitted` or `judged`.
        reason: The trigger in words.
        trigger: The condition of the contract, or who asked.
        snapshot: The rows.
        job: The training job.
        seen: Rows that the candidate will have trained on.
        k: Which candidate since the last promotion this is, counted from 1.
        met: The champion that it is measured against; 0 for none.
        opened_at: Tick at which it was opened.
        artifact: Digest of the candidate's bundle with its reference profile, once fitted.
        verdicts: What the gates said, once judged.
        intervals: Interval of the watched metric on the gates' rows, once judged.
        label_shares: Share of each class among the rows to fit on.
        label_effect: Fitting rows that are worth one independent row, for comparing label shares.
    """

    id: str
    stage: Literal["opened", "fitted", "judged"] = "opened"
    reason: str
    trigger: str
    snapshot: Snapshot
    job: TrainingJob
    seen: Seen
    k: int = 1
    met: int = 0
    opened_at: float = 0.0
    artifact: str = ""
    verdicts: tuple[Verdict, ...] = ()
    intervals: dict[str, tuple[float, float]] = {}
    label_shares: dict[str, float] = {}
    label_effect: float = 1.0


class TriggerState(msgspec.Struct, frozen=True, kw_only=True):
    """What a trigger remembers: windows in a row that it held, the evidence it last fired on, what that said."""

    windows: int = 0
    firing: bool = False
    evidence: str = ""
    reason: str = ""
    fired_at: float | None = None


class Blocked(msgspec.Struct, frozen=True, kw_only=True):
    """Rows that failed validation and are kept out of training until a person accepts the check."""

    start: int
    end: int
    checks: tuple[str, ...]
    reason: str
    at: float


class Hold(msgspec.Struct, frozen=True, kw_only=True):
    """Why a retrain that is due would be no use on certain rows.

    Args:
        about: Names the rows with the contract, champion and accepted checks that it was found with.
        reason: One sentence.
        verdicts: The failing checks of the rows, where these are the reason.
    """

    about: str
    reason: str
    verdicts: tuple[Verdict, ...] = ()


class LoopState(msgspec.Struct, frozen=True, kw_only=True):
    """Everything the loop remembers of one model.

    Args:
        model: Name of the model.
        contract: Digest of the contract in force.
        contract_text: Canonical form of the contract in force, for `plan`.
        now: Tick of the last pass.
        champion: Version that production is on; 0 before the first.
        previous: Version that a rollback goes to; 0 where there is none.
        versions: Registered versions by number, as text.
        attempt: The attempt under way, if any.
        attempts: Attempts opened so far.
        decisions: Decisions taken so far; numbers the next one.
        candidates: Candidates judged since the last promotion (k of the spending rule).
        proposed: Registered version that awaits its release; 0 for none.
        release: The release under way, if any.
        pointed: Version that the registry's alias `champion` was last seen on as it should be; 0 for none.
        watch: The promoted version that outcome guardrails still watch, if any.
        deployment: The deployment document in force, if any.
        generation: Generation of the last deployment document.
        triggers: Memory of each trigger by its condition.
        retrains: Ticks of retrains, for cool-down and budget.
        hold: Why a retrain that was due did not start, as last seen.
        promoted_at: Tick of the last promotion.
        arrived: Labelled rows of the world that have been looked at.
        fitted_rows: Labelled rows that were known at the last fit.
        watched: End of the last complete window that was watched.
        breaches: Signals that are in breach now, so that each is told once.
        untold: Breaches that nobody was told of yet, by signal: a pass may have had something more urgent to do.
        unserved: What of production some gateway could not serve at the last pass: a version, or the document itself.
        accepted: Checks that a person accepted.
        blocked: Rows kept out.
        rejected: Artifact digests of versions that were rolled back; they are not released again.
        last_run: Inputs and result of the last pass of `run`, to reuse when nothing changed.
    """

    model: str
    contract: str = ""
    contract_text: str = ""
    now: float = 0.0
    champion: int = 0
    previous: int = 0
    versions: dict[str, ModelVersion] = {}
    attempt: Attempt | None = None
    attempts: int = 0
    decisions: int = 0
    candidates: int = 0
    proposed: int = 0
    release: Release | None = None
    pointed: int = 0
    watch: Watch | None = None
    deployment: Deployment | None = None
    generation: int = 0
    triggers: dict[str, TriggerState] = {}
    retrains: tuple[float, ...] = ()
    hold: Hold | None = None
    promoted_at: float | None = None
    arrived: int = 0
    fitted_rows: int = 0
    watched: float = 0.0
    breaches: tuple[str, ...] = ()
    untold: dict[str, Verdict] = {}
    unserved: dict[str, Verdict] = {}
    accepted: tuple[str, ...] = ()
    blocked: tuple[Blocked, ...] = ()
    rejected: tuple[str, ...] = ()
    last_run: dict[str, Any] = {}
