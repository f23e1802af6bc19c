import re

import pytest
from rich.console import Console

from setpoint.facts.decision import Decision
from setpoint.facts.release import Release
from setpoint.facts.report import Check, ValidationReport
from setpoint.facts.snapshot import Origin, Snapshot
from setpoint.facts.state import Attempt, Blocked, LoopState
from setpoint.facts.training import Recipe, TrainingJob
from setpoint.facts.verdict import Verdict
from setpoint.facts.version import Seen
from setpoint.reports.terminal import (
    decision_table,
    decision_view,
    replay_table,
    status_table,
    validation_table,
    verdict_table,
)

RECIPE = Recipe(
    estimator="auto", params={}, task="binary", target="y", positive="1", features=(), threshold=0.5, seed=1,
    time_limit_s=1, memory_limit=1,
)  # fmt: skip
ATTEMPT = Attempt(
    id="a", stage="fitted", reason="drift.share > 30%", trigger="drift.share > 30%",
    snapshot=Snapshot(digest="s", table="t", ranges=((0, 9),), rows=9, columns={}, origin=Origin(source="x")),
    job=TrainingJob(key="k", model="m", contract="c", recipe=RECIPE, table="t", rows="r"),
    seen=Seen(by="time", table="t"),
)  # fmt: skip
MARKUP = "[red]x[/red] [/] :smile:"


def shown(renderable, width=160):
    console = Console(width=width, highlight=False, no_color=True)
    with console.capture() as capture:
        console.print(renderable, crop=False)
    return capture.get()


@pytest.mark.parametrize(
    ("ruling", "symbol"), [("pass", "✓"), ("fail", "✗"), ("inconclusive", "?"), ("error", "!")]
)
def test_a_verdict_is_read_without_colour(ruling, symbol):
    text = shown(
        verdict_table([Verdict(subject="f1 min 0.6", verdict=ruling, observed=0.5, n=1200)])
    )
    assert f"{symbol} {ruling}" in text
    assert "1,200" in text


def test_gates_are_read_on_a_narrow_terminal_and_no_interval_is_said_twice():
    gates = [
        Verdict(subject="brier_skill min 0", verdict="pass", observed=0.4557, limit=0.0, interval=(0.4394, 0.4714),
                n=9296),
        Verdict(subject="brier beats_champion 0 abs", verdict="fail", observed=-0.0055, limit=0.0,
                interval=(-0.01314, 0.0004), n=9296,
                reason="gain over the champion -0.0055 (-0.01314 to +0.0004): not shown to be above +0, nor below"),
    ]  # fmt: skip
    text = shown(verdict_table(gates), 80)
    minus = "\N{MINUS SIGN}"
    assert re.search(
        r"^brier_skill min 0 +✓ pass +0\.4557 +0\.4394 to 0\.4714 +9,296 *$", text, re.MULTILINE
    )
    assert f"brier beats_champion 0 abs: gain over the champion {minus}0.0055: not" in " ".join(
        text.split()
    )
    assert text.count("0.01314") == 1
    assert all(len(line) <= 80 for line in text.splitlines())


def test_markup_in_the_data_is_shown_and_not_obeyed():
    verdict = Verdict(
        subject=MARKUP, verdict="fail", reason=MARKUP, limit=MARKUP, evidence={"a": MARKUP}
    )
    decision = Decision(id=MARKUP, at=0.0, action="refuse", reason=MARKUP, verdicts=(verdict,))
    assert shown(verdict_table([verdict]), 300).count(MARKUP) == 4
    assert MARKUP in shown(decision_table([decision], "rows"), 300)
    assert shown(decision_view(decision, "rows"), 300).count(MARKUP) >= 4
    report = ValidationReport(
        source=MARKUP, rows=1, checks=(Check(name="type", column=MARKUP, verdict=verdict),)
    )
    assert MARKUP in shown(validation_table(report), 300)


def test_the_newest_decisions_are_kept_and_the_others_counted():
    many = [
        Decision(id=f"d{i}", at=float(i), action="alert", reason=f"reason {i}") for i in range(60)
    ]
    text = shown(decision_table(many, "rows", most=40))
    assert "reason 59" in text
    assert "reason 19" not in text
    assert "20 earlier ones are not shown" in text


def test_explain_shows_numbers_and_evidence():
    verdict = Verdict(
        subject="f1 beats_champion 2%", verdict="fail", observed=0.01, interval=(-0.01, 0.03),
        limit=0.02, n=900, reason="only not shown to be better", evidence={"alpha": 0.025, "k": 2},
    )  # fmt: skip
    decision = Decision(
        id="abc123", at=1_672_531_200.0, action="refuse", reason="f1 not shown", attempt="att",
        verdicts=(verdict,), numbers={"candidates": 2},
    )  # fmt: skip
    text = shown(decision_view(decision, "time"))
    for words in (
        "✗ refused",
        "2023-01-01",
        "abc123",
        "att",
        "candidates",
        "alpha 0.025, k 2",
        "\N{MINUS SIGN}0.01 to 0.03",
    ):
        assert words in text


def test_what_may_be_accepted_is_offered_on_one_line():
    failing = Verdict(subject="nulls", verdict="fail", reason="9 of 10 values are missing")
    checks = (Check(name="nulls", column="charges", verdict=failing, failing=9, acceptable=True),)
    text = shown(validation_table(ValidationReport(source="s" * 100, rows=10, checks=checks)), 60)
    assert "to go on all the same: --accept nulls\n" in text
    assert f"{'s' * 100}: 10 rows, 0 of 1 checks passed" in text
    accepted = ValidationReport(source="s", rows=10, checks=checks, accepted=("nulls",))
    assert "(accepted)" in shown(validation_table(accepted))


def test_the_replay_names_the_best_line_and_what_the_gates_were_worth(make_replay):
    text = shown(replay_table(make_replay()))
    assert "0.7921 ★" in text
    assert "Of 3 refusals" in text
    assert "Note: Rows of blocked batches" in text


def test_status_says_where_a_release_stands_and_what_is_kept_out():
    state = LoopState(
        model="churn", contract="c" * 64, now=1_672_531_200.0, champion=1, previous=0,
        release=Release(id="r", version=2, champion=1, strategy="canary", steps=(0.2, 0.5, 1.0), step=1),
        attempt=ATTEMPT, proposed=3, breaches=("drift.share",),
        unserved={"version 1": Verdict(subject="served", verdict="error", reason="its file is altered")},
        blocked=(Blocked(start=10, end=20, checks=("nulls",), reason="charges are missing", at=0.0),),
    )  # fmt: skip
    text = shown(status_table(state, "time"))
    assert "version 2 gets 50% of the traffic (canary, step 2 of 3" in text
    assert "row 10 to 20" in text
    assert "version 1: its file is altered" in text
    assert "fitted: drift.share > 30%" in text
    assert "version 3 awaits its release" in text
    assert "none yet" in shown(status_table(LoopState(model="new"), "rows"))
