"""The page of one pass: what came of it, what the gates said, what the candidate is, each decision."""

from collections.abc import Sequence
from typing import Final

from setpoint.clock import Axis
from setpoint.facts.decision import Decision
from setpoint.facts.training import TrainingResult
from setpoint.facts.verdict import Verdict, combine
from setpoint.facts.version import ModelVersion
from setpoint.reports.decision_groups import stories
from setpoint.reports.page import page
from setpoint.reports.wording import say_action, say_count, say_number

_DECISIONS: Final = 400
_COLUMNS: Final = 20  # of the importance that is shown
_DIGITS: Final = 16  # of a digest; enough to find it


def run_page(
    title: str,
    decisions: Sequence[Decision],
    *,
    axis: Axis = "time",
    result: TrainingResult | None = None,
    version: ModelVersion | None = None,
) -> str:
    """Return the report of one pass as one self-contained HTML page.

    Args:
        title: Title of the page.
        decisions: What the pass decided, in order; the gates' verdicts are those of the last judgement among them.
        axis: What ticks count.
        result: What training measured, where a candidate was fitted.
        version: The version it became, where it became one.
    """
    told = stories(decisions)
    verdicts = judged(decisions)
    importance = list(result.importance.items())[:_COLUMNS] if result else []
    return page(
        "run.html",
        title=title,
        axis=axis,
        summary=_summary(decisions, verdicts, version),
        verdicts=verdicts,
        cards=list(result.metrics.items()) if result else [],
        result=result,
        version=version,
        candidate=_candidate(result, version) if result else [],
        importance=[(name, max(value, 0.0)) for name, value in importance],
        largest=max([value for _, value in importance if value > 0], default=1.0),
        stories=told[:_DECISIONS],
        left_out=max(0, len(told) - _DECISIONS),
    )


def judged(decisions: Sequence[Decision]) -> tuple[Verdict, ...]:
    """Return what the gates said in the last judgement among these decisions, or nothing."""
    for decision in reversed(decisions):
        if decision.action in ("judge", "refuse", "register") and decision.verdicts:
            return decision.verdicts
    return ()


def _summary(
    decisions: Sequence[Decision], verdicts: Sequence[Verdict], version: ModelVersion | None
) -> list[str]:
    sentences = []
    if verdicts:
        failed = [verdict for verdict in verdicts if verdict.verdict != "pass"]
        if failed:
            ruling = {"fail": "refused", "inconclusive": "undecided", "error": "not measured"}
            word = ruling[combine(verdicts)]
            sentences.append(
                f"The candidate is {word}: {len(failed):,} of {say_count(len(verdicts), 'gate')} did not pass."
            )
        else:
            sentences.append(f"The candidate passed {say_count(len(verdicts), 'gate')}.")
    if version is not None:
        sentences.append(f"It is version {version.version}.")
    if decisions:
        last = decisions[-1]
        sentences.append(f"Last decision: {say_action(last)}. {last.reason}")
    return sentences or ["Nothing was due, so nothing was done."]


def _candidate(result: TrainingResult, version: ModelVersion | None) -> list[tuple[str, str]]:
    runtime = result.runtime + (f" ({result.runtime_reason})" if result.runtime_reason else "")
    rows = [
        ("fitted on", say_count(result.fit_rows, "row")),
        ("measured on", say_count(result.test_rows, "row")),
        ("fit", f"{say_number(result.fit_seconds)} s"),
        ("runtime", runtime),
        ("artifact", (version or result).artifact[:_DIGITS]),
        ("behaviour", result.behaviour[:_DIGITS]),
    ]
    if version is not None and version.lineage.commit:
        dirty = " with uncommitted changes" if version.lineage.dirty else ""
        rows.append(("commit", f"{version.lineage.commit[:_DIGITS]}{dirty}"))
    return rows
