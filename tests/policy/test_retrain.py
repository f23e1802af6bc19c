import msgspec

from setpoint.contract.retrain import Retrain
from setpoint.policy.retrain import Due, Held, History, due

RETRAIN = Retrain(
    when=("drift.share > 30%", "rows.new >= 100"),
    cooldown="1000 rows",
    budget={"runs": 2, "per": "10000 rows"},
)


def ask(history, signals=(), *, now, rows_new=0, retrain=RETRAIN):
    return due(
        retrain,
        history,
        signals={signal.name: signal for signal in signals},
        counters={"rows.new": rows_new},
        now=now,
        axis="rows",
    )


def test_nothing_pending_is_nothing_due() -> None:
    assert ask(History(), now=1.0)[0] is None


def test_due_names_trigger_value_and_evidence(signal) -> None:
    found, memory = ask(History(), [signal("drift.share", 0.42)], now=100.0)
    assert isinstance(found, Due)
    assert found.trigger == "drift.share > 30%"
    assert "0.42" in found.reason
    assert found.evidence == {"drift.share > 30%": "drift.share@v1[0.0,100.0)"}
    assert memory["drift.share > 30%"].fired_at == 100.0


def test_one_retrain_answers_all_that_pends(signal) -> None:
    found, memory = ask(History(), [signal("drift.share", 0.42)], now=100.0, rows_new=500)
    assert isinstance(found, Due)
    assert set(found.evidence) == {"drift.share > 30%", "rows.new >= 100"}
    again, _ = ask(
        History(triggers=memory, retrains=(100.0,)),
        [signal("drift.share", 0.42)],
        now=5000.0,
        rows_new=600,
    )
    assert again is None


def test_same_evidence_never_starts_a_second_fit(signal) -> None:
    history = History()
    started = 0
    for look in range(200):  # the candidate of the first fit was refused; drift goes on
        shown = signal("drift.share", 0.42, end=100.0 + 100 * (look // 10))
        found, memory = ask(history, [shown], now=2000.0 * look)
        started += isinstance(found, Due)
        history = msgspec.structs.replace(history, triggers=memory)
    assert started == 1


def test_open_attempt_or_release_holds_and_keeps_the_trigger(signal) -> None:
    shown = [signal("drift.share", 0.42)]
    held, memory = ask(History(open="release of version 3"), shown, now=100.0)
    assert held == Held(trigger="drift.share > 30%", reason="release of version 3 is under way")
    found, _ = ask(History(triggers=memory), shown, now=150.0)
    assert isinstance(found, Due)


def test_cooldown_holds_until_it_is_over(signal) -> None:
    shown = [signal("drift.share", 0.42)]
    held, memory = ask(History(retrains=(50.0,)), shown, now=100.0)
    assert isinstance(held, Held)
    assert held.until == 1050.0
    found, _ = ask(History(triggers=memory, retrains=(50.0,)), shown, now=1050.0)
    assert isinstance(found, Due)


def test_retrain_of_no_use_is_held_until_its_rows_change(signal) -> None:
    shown = [signal("drift.share", 0.42)]
    held, memory = ask(History(hold="the champion again"), shown, now=100.0)
    assert held == Held(trigger="drift.share > 30%", reason="the champion again")
    found, _ = ask(History(triggers=memory), shown, now=150.0)
    assert isinstance(found, Due)


def test_held_trigger_that_recovers_starts_nothing(signal) -> None:
    held, memory = ask(History(retrains=(50.0,)), [signal("drift.share", 0.42)], now=100.0)
    assert isinstance(held, Held)
    quiet = [signal("drift.share", 0.0, end=200.0)]
    assert ask(History(triggers=memory, retrains=(50.0,)), quiet, now=1050.0)[0] is None


def test_schedule_reason_names_the_instant() -> None:
    retrain = Retrain(when=({"schedule": "0 2 * * 1"},))
    monday = 4 * 86400.0 + 2 * 3600  # 1970-01-05 was a Monday
    memory = {}
    for now in (monday - 10, monday + 10):
        found, memory = due(
            retrain, History(triggers=memory), signals={}, counters={}, now=now, axis="time"
        )
    assert isinstance(found, Due)
    assert "1970-01-05 02:00 has passed" in found.reason


def test_schedule_goes_by_the_wall_where_ticks_are_rows_and_never_by_the_rows() -> None:
    retrain = Retrain(
        when=({"schedule": "0 * * * *"},), cooldown="100 rows", budget={"runs": 1, "per": "9 rows"}
    )
    monday = 4 * 86400.0
    memory = {}
    for rows, wall in ((100.0, monday - 10), (5000.0, monday - 5), (5001.0, monday + 10)):
        history = History(triggers=memory, wall=wall)
        found, memory = due(retrain, history, signals={}, counters={}, now=rows, axis="rows")
        assert (found is not None) == (wall > monday)
    assert "1970-01-05 00:00 has passed" in found.reason
    memory = {}
    for rows in (100.0, 5000.0):
        history = History(triggers=memory)
        found, memory = due(retrain, history, signals={}, counters={}, now=rows, axis="rows")
        assert found is None
