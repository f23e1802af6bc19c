import pytest

from setpoint.contract.retrain import Retrain
from setpoint.errors import UsageError
from setpoint.policy.triggers import look, pending, require_acted_on, spend

DRIFT = "drift.share > 30% for 3 windows"


def watch(signal, values, *, condition=DRIFT, version=1, memory=None, first_end=100.0):
    """Look once at each value's window and return the memory after each look."""
    when = Retrain(when=(condition,)).when
    memory = memory or {}
    seen = []
    for place, value in enumerate(values):
        ruling = "pass" if value is not None else "inconclusive"
        shown = signal(
            "drift.share", value, end=first_end + 100 * place, version=version, ruling=ruling
        )
        memory = look(
            when, memory, signals={"drift.share": shown}, counters={}, now=first_end + 100 * place
        )
        seen.append(memory[condition])
    return seen


def test_condition_fires_at_the_third_window_in_a_row(signal) -> None:
    seen = watch(signal, [0.5, 0.5, 0.5])
    assert [pending(state) for state in seen] == [False, False, True]


def test_one_quiet_window_starts_the_count_anew(signal) -> None:
    seen = watch(signal, [0.5, 0.5, 0.1, 0.5, 0.5, 0.5])
    assert [state.firing for state in seen] == [False] * 5 + [True]


def test_unmeasured_window_neither_counts_nor_clears(signal) -> None:
    seen = watch(signal, [0.5, 0.5, None, 0.5])
    assert [state.firing for state in seen] == [False, False, False, True]
    seen = watch(signal, [0.5, 0.5, 0.5, None])
    assert seen[-1].firing


def test_looking_often_at_one_window_does_not_count_it_twice(signal) -> None:
    when = Retrain(when=(DRIFT,)).when
    shown = {"drift.share": signal("drift.share", 0.5)}
    memory = {}
    for now in range(10):
        memory = look(when, memory, signals=shown, counters={}, now=float(now))
    assert memory[DRIFT].windows == 1


def test_spent_trigger_stays_spent_while_the_condition_goes_on_holding(signal) -> None:
    memory = spend({DRIFT: watch(signal, [0.5, 0.5, 0.5])[-1]}, 300.0)
    seen = watch(signal, [0.5] * 20, memory=memory, first_end=400.0)
    assert not any(pending(state) for state in seen)


def test_trigger_fires_again_after_recovery(signal) -> None:
    memory = spend({DRIFT: watch(signal, [0.5, 0.5, 0.5])[-1]}, 300.0)
    seen = watch(signal, [0.1, 0.5, 0.5, 0.5], memory=memory, first_end=400.0)
    assert [pending(state) for state in seen] == [False, False, False, True]


def test_windows_of_another_version_start_anew(signal) -> None:
    memory = spend({DRIFT: watch(signal, [0.5, 0.5, 0.5])[-1]}, 300.0)
    seen = watch(signal, [0.5, 0.5, 0.5], memory=memory, version=2, first_end=400.0)
    assert [state.windows for state in seen] == [1, 2, 3]
    assert pending(seen[-1])


def test_version_without_a_measured_window_clears_the_old_ones_memory(signal) -> None:
    memory = spend({DRIFT: watch(signal, [0.5, 0.5, 0.5])[-1]}, 300.0)
    seen = watch(signal, [None], memory=memory, version=2, first_end=400.0)
    assert not seen[-1].firing


def test_count_fires_once_until_it_falls_back() -> None:
    condition = "rows.new >= 100"
    when = Retrain(when=(condition,)).when
    memory = {}
    fired = []
    for now, rows in enumerate([50, 99, 100, 150, 10, 100]):
        memory = look(when, memory, signals={}, counters={"rows.new": rows}, now=float(now))
        fired.append(pending(memory[condition]))
        memory = spend(memory, float(now))
    assert fired == [False, False, True, False, False, True]


def test_schedule_fires_once_for_each_instant_and_not_at_the_first_look() -> None:
    when = Retrain(when=({"schedule": "0 * * * *"},)).when
    name = "schedule 0 * * * *"
    memory = {}
    fired = []
    for now in (1800.0, 3599.0, 3600.0, 3700.0, 7200.0, 20_000.0, 20_001.0):
        memory = look(when, memory, signals={}, counters={}, now=now)
        fired.append(pending(memory[name]))
        memory = spend(memory, now)
    assert fired == [False, False, True, False, True, True, False]


def test_no_schedule_is_due_where_there_is_no_time() -> None:
    when = Retrain(when=({"schedule": "0 * * * *"},)).when
    memory = {}
    for _ in range(3):
        memory = look(when, memory, signals={}, counters={}, now=None)
        assert not pending(memory["schedule 0 * * * *"])


def test_schedule_that_was_held_back_stays_pending() -> None:
    when = Retrain(when=({"schedule": "0 * * * *"},)).when
    memory = look(when, {}, signals={}, counters={}, now=10.0)
    for now in (3600.0, 3700.0, 7000.0):
        memory = look(when, memory, signals={}, counters={}, now=now)
        assert pending(memory["schedule 0 * * * *"])


def test_trigger_that_the_contract_no_longer_names_is_forgotten(signal) -> None:
    memory = {DRIFT: watch(signal, [0.5])[-1]}
    assert look((), memory, signals={}, counters={}, now=1.0) == {}


def test_forecast_is_refused_by_name() -> None:
    when = Retrain(when=({"forecast": "drift.share > 30%", "within": "48h"},)).when
    with pytest.raises(UsageError, match=r"forecast drift\.share > 30% within 2d"):
        require_acted_on(when)
    with pytest.raises(UsageError):
        look(when, {}, signals={}, counters={}, now=0.0)


def test_count_that_comes_back_to_the_same_number_fires_again() -> None:
    condition = "rows.new >= 100"
    when = Retrain(when=(condition,)).when
    memory, fired = {}, []
    for now, rows in enumerate([100, 0, 100, 100, 0, 100]):
        memory = look(when, memory, signals={}, counters={"rows.new": rows}, now=float(now))
        fired.append(pending(memory[condition]))
        memory = spend(memory, float(now))
    assert fired == [True, False, True, False, False, True]


def test_count_changes_the_memory_only_when_it_crosses_its_limit() -> None:
    condition = "rows.new >= 100"
    when = Retrain(when=(condition,)).when
    memory = look(when, {}, signals={}, counters={"rows.new": 10}, now=1.0)
    assert look(when, memory, signals={}, counters={"rows.new": 20}, now=2.0) == memory
    firing = look(when, memory, signals={}, counters={"rows.new": 100}, now=3.0)
    assert look(when, firing, signals={}, counters={"rows.new": 200}, now=4.0) == firing
