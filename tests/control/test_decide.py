"""What is decided, and in which order: production first, nothing twice, nothing forgotten."""

import msgspec
import pytest

from setpoint.control.decide import decide, decide_work
from setpoint.control.observe import Seen
from setpoint.facts.deployment import Deployment
from setpoint.facts.release import HarmEvidence, Release, Watch
from setpoint.facts.signal import Signal, Window
from setpoint.facts.snapshot import Origin, Snapshot
from setpoint.facts.state import Attempt, Blocked, Hold, LoopState
from setpoint.facts.training import Recipe, TrainingJob
from setpoint.facts.verdict import Verdict
from setpoint.facts.version import Seen as SeenRows
from setpoint.release.move import Step
from setpoint.release.watch import WatchStep

NO_ROWS = {"rows.new": 0.0, "rows.labelled": 0.0}


def signal(name, ruling, *, end=100.0, value=0.5):
    verdict = Verdict(subject=name, verdict=ruling, observed=value, reason=f"{name} is {ruling}")
    window = Window(start=end - 100, end=end, version=1, rows=100)
    return Signal(name=name, window=window, value=value, verdict=verdict)


def window(*signals):
    return {one.name: one for one in signals}


def seen(*windows, now=100.0, known=100, new=0.0, **more):
    return Seen(
        now=now,
        known=known,
        arrived=known,
        counters={"rows.new": new, "rows.labelled": new},
        windows=windows,
        watched=now,
        **more,
    )


def state(**more):
    return msgspec.structs.replace(LoopState(model="small", champion=1, arrived=100), **more)


def attempt(stage):
    recipe = Recipe(
        estimator="auto",
        params={},
        task="binary",
        target="y",
        positive="1",
        features=(),
        threshold=0.5,
        seed=0,
        time_limit_s=1,
        memory_limit=1,
    )
    return Attempt(
        id="a-1",
        stage=stage,
        reason="",
        trigger="rows.new >= 100",
        snapshot=Snapshot(
            digest="", table="", ranges=(), rows=0, columns={}, origin=Origin(source="x.csv")
        ),
        job=TrainingJob(key="k", model="small", contract="", recipe=recipe, table="", rows=""),
        seen=SeenRows(by="time", table=""),
    )


RELEASE = Release(id="r", version=2, champion=1, strategy="canary", steps=(0.1, 1.0))
BACK = WatchStep(
    action="roll_back", reason="worse", verdict=Verdict(subject="outcome", verdict="fail")
)
WATCH = Watch(version=1, previous=3, since=0.0, until=1000.0)
BLOCKED = Blocked(start=0, end=50, checks=("label_share",), reason="", at=0.0)


@pytest.fixture
def contract(small_contract):
    return small_contract()


def test_most_urgent_step_comes_first(contract):
    everything = {
        "watch": WATCH,
        "release": RELEASE,
        "attempt": attempt("opened"),
        "proposed": 2,
        "blocked": (BLOCKED,),
        "accepted": ("label_share",),
        "arrived": 50,
    }
    shown = {
        "look_back": BACK,
        "step": Step(action="advance", reason="fine"),
        "new": 500.0,
    }
    bad = window(signal("drift.share", "fail"))
    order = []
    for gone in (
        {},
        {"look_back": None},
        {"step": None},
        {"attempt": None},
        {"release": None},
        {"proposed": 0},
        {"arrived": 100},
        {"blocked": ()},
        {"new": 0.0},
    ):
        for name, value in gone.items():
            (shown if name in shown else everything)[name] = value
        windows = (bad,) if gone != {"new": 0.0} else (window(signal("errors", "fail")),)
        order.append(decide(contract, state(**everything), seen(*windows, **shown)).step)
    assert order == [
        "roll_back",
        "move",
        "fit",
        "check",  # the release waits, and a retrain with it
        "begin",
        "check",
        "admit",
        "retrain",
        "alert",
    ]


def deployed(**logging):
    return Deployment(
        model="small", generation=1, contract="", prepare=(), weights={}, champion=1, **logging
    )


@pytest.mark.parametrize(
    ("logging", "words"),
    [
        ({"log": "durable"}, "a keep → hash"),
        (
            {"log": "durable", "kept": {"a": "drop", "b": "first 3"}},
            "a drop → hash, b first 3 → keep",
        ),
        ({"log": "buffered", "kept": {"a": "hash"}}, "buffered → durable"),
    ],
)
def test_what_must_be_logged_otherwise_waits_for_no_fit(small_contract, logging, words):
    contract = small_contract(data={"columns": {"a": {"log": "hash"}}})
    before = state(attempt=attempt("opened"), deployment=deployed(**logging))
    for found in (decide(contract, before, seen()), decide_work(contract, before, seen())):
        assert (found.step, found.reason.partition(": ")[2]) == ("renew", words)
    assert decide(contract, before, seen(look_back=BACK)).step == "roll_back"


@pytest.mark.parametrize("kept", [None, {}])
def test_a_document_that_says_what_the_contract_says_stays(contract, kept):
    document = deployed(log="durable", kept=kept)
    assert decide(contract, state(deployment=document), seen()).step == "wait"


@pytest.mark.parametrize(
    ("stage", "step"), [("opened", "fit"), ("fitted", "judge"), ("judged", "register")]
)
def test_attempt_goes_on_where_it_was(contract, stage, step):
    assert decide(contract, state(attempt=attempt(stage)), seen()).step == step


@pytest.mark.parametrize("action", ["wait", "hold"])
def test_release_that_waits_lets_other_things_go_on(contract, action):
    step = Step(action=action, reason="too few requests")
    held = msgspec.structs.replace(RELEASE, held=action == "hold")
    found = decide(contract, state(release=held), seen(step=step, known=150))
    assert found.step == "check"


def test_release_whose_time_is_up_is_told_of_once(contract):
    step = Step(action="hold", reason="max_duration is over")
    assert decide(contract, state(release=RELEASE), seen(step=step)).step == "hold"
    held = msgspec.structs.replace(RELEASE, held=True)
    assert decide(contract, state(release=held), seen(step=step)).step == "wait"
    late = Step(action="advance", reason="every guardrail passes")
    assert decide(contract, state(release=held), seen(step=late)).step == "move"


def test_shares_of_a_bandit_are_moved(contract):
    step = Step(action="weigh", share=0.7, reason="version 2 seems better")
    assert decide(contract, state(release=RELEASE), seen(step=step)).step == "move"


def test_what_guardrails_gathered_is_noted_whatever_the_step(contract):
    evidence = {"error_rate max 1%": HarmEvidence(challenger_n=10, champion_n=90)}
    step = Step(action="wait", reason="too few requests", evidence=evidence)
    for known in (100, 150):
        found = decide(contract, state(release=RELEASE), seen(step=step, known=known))
        assert found.state.release.evidence == evidence


def test_retrain_is_held_while_a_release_is_open_and_says_so(contract):
    step = Step(action="wait", reason="too few requests")
    found = decide(contract, state(release=RELEASE), seen(step=step, new=500.0))
    assert found.step == "wait"
    assert "version 2" in found.reason


def test_retrain_is_held_during_cooldown(contract):
    found = decide(contract, state(retrains=(80.0,)), seen(new=500.0))
    assert found.step == "wait"
    assert "cool" in found.reason


def test_nothing_is_retrained_before_there_is_a_champion(contract):
    assert decide(contract, state(champion=0), seen(new=500.0)).step == "wait"


def test_trigger_fires_once_for_what_it_saw(contract):
    found = decide(contract, state(), seen(new=500.0))
    assert (found.step, found.trigger) == ("retrain", "rows.new >= 100")
    after = msgspec.structs.replace(found.state, retrains=(0.0,))
    assert decide(contract, after, seen(new=500.0)).step == "wait"


def test_count_that_comes_back_to_the_same_number_fires_again(contract):
    first = decide(contract, state(), seen(new=100.0))
    between = decide(contract, first.state, seen(new=0.0))
    second = decide(contract, between.state, seen(new=100.0, now=300.0))
    assert [one.step for one in (first, between, second)] == ["retrain", "wait", "retrain"]


def test_retrain_of_no_use_is_held_and_its_trigger_is_not_spent(contract):
    hold = Hold(about="these rows", reason="it would give the champion again")
    found = decide(contract, state(), seen(new=500.0, hold=hold))
    assert (found.step, found.reason) == ("wait", "it would give the champion again")
    assert found.state.hold == hold
    assert decide(contract, found.state, seen(new=500.0)).step == "retrain"


def test_rows_that_fail_their_checks_are_told_once(contract):
    failing = Verdict(subject="label_share", verdict="fail")
    hold = Hold(about="these rows", reason="labels moved", verdicts=(failing,))
    first = decide(contract, state(), seen(new=500.0, hold=hold))
    assert first.step == "block"
    assert "rows.new >= 100" in first.reason
    assert decide(contract, first.state, seen(new=500.0, hold=hold)).step == "wait"


def test_schedule_that_passes_between_windows_fires(small_contract):
    contract = small_contract(
        time=True, retrain={"when": [{"schedule": "0 * * * *"}], "cooldown": "0s"}
    )
    first = decide(contract, state(), seen(now=1800.0))
    second = decide(contract, first.state, seen(now=3700.0))
    assert [first.step, second.step] == ["wait", "retrain"]


def test_trigger_seen_in_a_busy_pass_fires_later_with_the_words_of_its_window(contract):
    busy = decide(contract, state(), seen(window(signal("drift.share", "fail")), known=150))
    assert busy.step == "check"
    after = msgspec.structs.replace(busy.state, arrived=150)
    found = decide(contract, after, seen(known=150))
    assert found.step == "retrain"
    assert "drift.share is 0.5" in found.reason


def test_breach_seen_in_a_busy_pass_is_told_later(contract):
    bad = window(signal("performance.coverage", "fail"))
    busy = decide(contract, state(), seen(bad, known=150))
    assert busy.step == "check"
    found = decide(contract, msgspec.structs.replace(busy.state, arrived=150), seen(known=150))
    assert found.step == "alert"
    assert list(found.state.untold) == ["performance.coverage"]


def test_breach_is_told_once_until_it_recovers(contract):
    bad, good = (window(signal("performance.coverage", ruling)) for ruling in ("fail", "pass"))
    unsure = window(signal("performance.coverage", "inconclusive"))
    now, steps = state(), []
    for shown in (bad, bad, unsure, bad, good, bad):
        found = decide(contract, now, seen(shown))
        steps.append(found.step)
        now = msgspec.structs.replace(found.state, untold={})
    assert steps == ["alert", "wait", "wait", "wait", "wait", "alert"]


def test_breach_after_a_recovery_in_the_same_pass_is_told(contract):
    bad, good = (window(signal("performance.coverage", ruling)) for ruling in ("fail", "pass"))
    before = state(breaches=("performance.coverage",))
    assert decide(contract, before, seen(good, bad)).step == "alert"


def test_one_drifted_column_is_no_alert_but_their_share_is(contract):
    column = window(signal("drift.a", "fail"))
    assert decide(contract, state(), seen(column)).step == "wait"
    share = window(signal("drift.share", "fail", value=0.1))
    assert decide(contract, state(), seen(share)).step == "alert"


@pytest.mark.parametrize("ruling", ["error", "inconclusive"])
def test_what_was_not_measured_is_no_breach(contract, ruling):
    shown = window(signal("performance.coverage", ruling))
    found = decide(contract, state(), seen(shown))
    assert found.step == "wait"
    assert found.state.breaches == ()


def test_watch_ends_when_it_is_done(contract):
    done = WatchStep(
        action="done", reason="over", verdict=Verdict(subject="outcome", verdict="pass")
    )
    found = decide(contract, state(watch=WATCH), seen(look_back=done))
    assert found.step == "wait"
    assert found.state.watch is None


def test_deciding_changes_nothing_it_was_given(contract):
    before = state(blocked=(BLOCKED,))
    copied = msgspec.to_builtins(before)
    shown = seen(window(signal("drift.share", "fail")), new=500.0)
    assert decide(contract, before, shown) == decide(contract, before, shown)
    assert msgspec.to_builtins(before) == copied
