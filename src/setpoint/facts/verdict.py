"""The verdict: what one gate, check, guardrail or signal says, with its numbers."""

from collections.abc import Iterable
from typing import Any, Literal

import msgspec

Ruling = Literal["pass", "fail", "inconclusive", "error"]

_WORST_FIRST: tuple[Ruling, ...] = ("error", "fail", "inconclusive", "pass")


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """One judgement. "Could not measure" is `error` or `inconclusive`, never `pass`.

    Args:
        subject: What was judged, as the contract writes it, such as `roc_auc min 0.8`.
        verdict: `pass`, `fail`, `inconclusive` or `error`.
        observed: The measured value, in the unit of the limit.
        limit: What it was held against: a number, a pair, or words.
        interval: Lower and upper bound of `observed`, where there is one.
        n: Number of rows (or requests) behind it.
        reason: One sentence for people; for `fail`, whether it is worse or only not shown to be better.
        evidence: Further plain numbers, such as `alpha`, `k`, `block`, `n_effective`.
    """

    subject: str
    verdict: Ruling
    observed: float | None = None
    limit: float | tuple[float, float] | str | None = None
    interval: tuple[float, float] | None = None
    n: int | None = None
    reason: str = ""
    evidence: dict[str, Any] = {}


def combine(verdicts: Iterable[Verdict]) -> Ruling:
    """Return the ruling of a set: error > fail > inconclusive > pass.

    An empty set is `inconclusive`: nothing was measured, so nothing is known to be fine.
    """
    found = {verdict.verdict for verdict in verdicts}
    for ruling in _WORST_FIRST:
        if ruling in found:
            return ruling
    return "inconclusive"
