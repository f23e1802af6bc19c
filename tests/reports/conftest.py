from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from setpoint.facts.decision import Decision
from setpoint.facts.replay import Batch, DriftCell, GateCost, Replay
from setpoint.facts.verdict import Verdict

START = 1_672_531_200.0  # 2023-01-01
DAY = 86_400.0
WEEKS = 104

Make = Callable[..., Replay]


def _batches(rng: np.random.Generator, count: int) -> tuple[Batch, ...]:
    share = np.linspace(0, 1, count)
    static = 0.81 - 0.13 * share + rng.normal(0, 0.02, count)
    loop = 0.81 - 0.03 * share + rng.normal(0, 0.02, count)
    scheduled = 0.81 - 0.035 * share + rng.normal(0, 0.02, count)
    no_change = 0.63 + rng.normal(0, 0.02, count)
    return tuple(
        Batch(
            start=START + i * 7 * DAY,
            end=START + (i + 1) * 7 * DAY,
            n=170,
            static=static[i],
            scheduled=scheduled[i],
            no_change=no_change[i],
            loop=None if i == 60 else loop[i],
        )
        for i in range(count)
    )


def _verdicts() -> tuple[Verdict, ...]:
    return (
        Verdict(subject="roc_auc min 0.7", verdict="pass", observed=0.7812, limit=0.7, n=2210,
                interval=(0.7605, 0.8009), reason="0.7812 is above 0.7"),
        Verdict(subject="roc_auc beats_champion 1%", verdict="fail", observed=0.0021, limit=0.0078, n=2210,
                interval=(-0.0052, 0.0094), reason="not shown to be better: the interval holds the margin",
                evidence={"alpha": 0.025, "k": 2}),
        Verdict(subject="disparate_impact of gender between 0.8 and 1.25", verdict="inconclusive", n=21,
                reason="under 30 rows of a class"),
        Verdict(subject="latency p99 max 10ms", verdict="error", reason="not measured"),
    )  # fmt: skip


def _decisions() -> tuple[Decision, ...]:
    at = lambda day: START + day * DAY  # noqa: E731
    made = [
        (200, "alert", "drift.charges 0.34 is above 0.1 (0.29 to 0.39, 412 rows)"),
        (203, "retrain", "drift.share > 30% for 2 windows"),
        (203, "refuse", "roc_auc beats_champion 1%: not shown to be better"),
        (250, "retrain", "performance.drop > 3%"),
        (250, "promote", "every gate passed; 50% to 100%"),
        (310, "alert", "drift.plan 0.22: unseen value 'family'"),
        (330, "promote", "every gate passed; 50% to 100%"),
        (421, "block", "charges: 100% missing, at most 1% allowed <script>alert(1)</script>"),
        (424, "block", "charges: 100% missing, at most 1% allowed"),
        (500, "roll_back", "roc_auc of outcomes is worse by more than 2%"),
        (560, "promote", "every gate passed; 50% to 100%"),
    ]
    return tuple(
        Decision(
            id=f"{i:08x}", at=at(day), action=action, reason=reason, attempt=f"a{i}",
            version=2 if action == "promote" else None,
            verdicts=_verdicts() if action in ("promote", "refuse") else (),
            numbers={"rows": 1200 + i, "share": 0.25},
        )
        for i, (day, action, reason) in enumerate(made)
    )  # fmt: skip


def _drift(rng: np.random.Generator, windows: int) -> tuple[DriftCell, ...]:
    cells = []
    for c, column in enumerate(
        ("charges", "plan", "usage_hours", "tenure", "support_calls", "country")
    ):
        for w in range(windows):
            distance = (
                abs(rng.normal(0.03, 0.02))
                + (0.3 * (c == 0 and 24 < w < 36))
                + (0.15 * (c == 1 and w > 40))
            )
            verdict = "fail" if distance > 0.12 else "inconclusive" if w == 60 else "pass"
            cells.append(
                DriftCell(column=column, start=START + w * 7 * DAY, end=START + (w + 1) * 7 * DAY,
                          distance=None if w == 60 else distance, verdict=verdict)
            )  # fmt: skip
    return tuple(cells)


def _costs() -> tuple[GateCost, ...]:
    at = lambda day: START + day * DAY  # noqa: E731
    return (
        GateCost(attempt="a2f3e9d1", at=at(203), action="refuse", gain=0.011, interval=(-0.004, 0.026), n=900),
        GateCost(attempt="b2", version=2, at=at(250), action="promote", gain=0.041, interval=(0.02, 0.06), n=900),
        GateCost(attempt="c2", at=at(330), action="refuse", gain=-0.032, interval=(-0.05, -0.01), n=700),
        GateCost(attempt="d2", at=at(420), action="refuse", gain=0.03, interval=(0.01, 0.05), n=700),
        GateCost(attempt="e2", at=at(520), action="refuse", gain=None),
    )  # fmt: skip


@pytest.fixture
def make_replay() -> Make:
    def make(*, count: int = WEEKS, seed: int = 5, **other: Any) -> Replay:
        rng = np.random.default_rng(seed)
        fields: dict[str, Any] = {
            "name": "churn", "source": "data/churn.parquet", "contract": "ab" * 32, "rows": 17_600,
            "metric": "roc_auc", "direction": "higher", "axis": "time", "static": 0.7412, "scheduled": 0.7893,
            "no_change": 0.6298, "loop": 0.7921, "schedule": "refitted weekly", "batches": _batches(rng, count),
            "fits": 6, "scheduled_fits": 16, "promotions": 3, "rollbacks": 1, "refused": 3, "data_blocked": 2,
            "seconds": 21.4, "fit_predict_seconds": 14.2, "decisions": _decisions(), "drift": _drift(rng, count),
            "gate_costs": _costs(), "notes": ("Rows of blocked batches were not fitted on.",),
        }  # fmt: skip
        return Replay(**{**fields, **other})

    return make
