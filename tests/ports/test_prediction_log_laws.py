"""The laws of `setpoint.ports.prediction_log`, on every store. A store is one entry of `LOGS`."""

import itertools
import threading

import pytest
from tests.adapters.log import test_compaction as hours
from tests.adapters.predictions import prediction_of

from setpoint.adapters.log.answer_spool import AnswerSpool
from setpoint.adapters.log.compaction import Compaction
from setpoint.adapters.log.hour_files import FolderFiles
from setpoint.adapters.log.postgres_log import PostgresLog
from setpoint.adapters.log.postgres_store import PostgresStore
from setpoint.adapters.log.spooled_log import SpooledLog
from setpoint.adapters.log.sqlite_log import SqliteLog
from setpoint.adapters.log.sqlite_store import LogFile
from setpoint.adapters.object_files import ObjectFiles
from setpoint.adapters.object_folder import ObjectFolder
from setpoint.adapters.postgres_address import read_address
from setpoint.clock import SystemClock
from setpoint.errors import JournalError, OutcomeConflictError, UnknownPredictionError
from setpoint.facts.prediction import Outcome
from setpoint.facts.release import LossSum
from setpoint.release.outcome import value_loss

_numbers = itertools.count()


def in_sqlite(request, folder):
    return lambda: SqliteLog(folder / "store" / "log.db")


def in_postgres(request, folder):
    server = request.getfixturevalue("postgres")
    address = read_address(f"{server.common}?schema=log_{next(_numbers)}")
    return lambda: PostgresLog(address, SystemClock(), FolderFiles(folder / "hours"))


class Hasty(SystemClock):
    """A clock by which every reader looks anew: laws hold at once."""

    def stopwatch(self):
        return 1e6 * next(_numbers)


def in_s3(request, folder):
    place = ObjectFolder(request.getfixturevalue("object_store").folder())
    path = folder / "store" / "log.db"
    return lambda: SpooledLog(LogFile(path), ObjectFiles(place), AnswerSpool(place), Hasty())


def in_s3_and_postgres(request, folder):
    place = ObjectFolder(request.getfixturevalue("object_store").folder())
    server = request.getfixturevalue("postgres")
    address = read_address(f"{server.common}?schema=log_{next(_numbers)}")
    return lambda: SpooledLog(
        PostgresStore(address, SystemClock()),
        ObjectFiles(place),
        AnswerSpool(place),
        Hasty(),
        safe=True,
    )


LOGS = {
    "sqlite": in_sqlite,
    "postgres": in_postgres,
    "s3": in_s3,
    "s3 and postgres": in_s3_and_postgres,
}


@pytest.fixture(params=LOGS)
def opened(request, tmp_path):
    """Give what opens one log, as another process would, any number of times."""
    open_one = LOGS[request.param](request, tmp_path)
    logs = []

    def another():
        logs.append(open_one())
        return logs[-1]

    yield another
    for one in logs:
        one.close()


@pytest.fixture
def log(opened):
    return opened()


def prediction(number, **changes):
    fields = {
        "id": f"p-{number:05d}",
        "at": float(number),
        "model": "churn",
        "version": 1,
        "contract": "c",
        "generation": 1,
        "variant": "champion",
        "propensity": 1.0,
        "features": {"tenure": number, "plan": "monthly"},
        "prediction": "Yes",
        "probability": 0.75,
        "latency_s": 0.001 * number,
    }
    return prediction_of(fields | changes)


def outcome(number, value="Yes", at=99.0):
    return Outcome(prediction=f"p-{number:05d}", value=value, at=at)


def test_window_is_half_open_in_order_of_time_with_features_and_outcomes(log):
    log.append([prediction(number) for number in (5, 3, 4, 6)])
    log.record([outcome(4, "No")])
    table = log.window(3.0, 6.0)
    assert table["id"].to_pylist() == ["p-00003", "p-00004", "p-00005"]
    assert table["outcome"].to_pylist() == [None, "No", None]
    assert table["outcome_at"].to_pylist() == [None, 99.0, None]
    assert table["feature.tenure"].to_pylist() == [3.0, 4.0, 5.0]
    assert table["feature.plan"].to_pylist() == ["monthly"] * 3
    assert table.column_names[:11] == [
        "id", "at", "version", "generation", "variant", "prediction", "probability", "latency_s",
        "error", "outcome", "outcome_at",
    ]  # fmt: skip


def test_window_of_one_version(log):
    log.append([prediction(1), prediction(2, version=2)])
    assert log.window(0, 10, version=2)["id"].to_pylist() == ["p-00002"]


def test_empty_log_has_the_columns_and_no_span(log):
    assert log.window(0, 10).num_rows == 0
    assert "outcome" in log.window(0, 10).column_names
    assert log.span() == (0.0, 0.0, 0)
    assert log.arms(generation=0) == {}


def test_span(log):
    log.append([prediction(number) for number in (3, 9, 5)])
    assert log.span() == (3.0, 9.0, 3)


def test_features_that_differ_between_versions_or_are_null(log):
    log.append(
        [
            prediction(1, features={"a": None, "b": True}),
            prediction(2, features={"a": 1, "c": "x"}),
            prediction(3, features={"a": 2.5, "c": 7}),
        ]
    )
    table = log.window(0, 10)
    assert table["feature.a"].to_pylist() == [None, 1.0, 2.5]
    assert table["feature.b"].to_pylist() == [True, None, None]
    assert table["feature.c"].to_pylist() == [None, "x", "7"]


def test_regression_keeps_numbers(log):
    log.append([prediction(1, prediction=2.5, probability=None)])
    log.record([outcome(1, 3)])
    table = log.window(0, 10)
    assert table["prediction"].to_pylist() == [2.5]
    assert table["outcome"].to_pylist() == [3.0]
    assert table["probability"].to_pylist() == [None]


@pytest.mark.parametrize("size", [1, 2, 255, 256, 257, 1000])
def test_groups_of_any_size_are_written_whole(log, size):
    log.append([prediction(number) for number in range(size)])
    assert log.span()[2] == size
    assert log.window(0, 1e9)["id"].to_pylist() == [f"p-{number:05d}" for number in range(size)]


def test_appending_again_changes_nothing(log):
    log.append([prediction(1)])
    log.span()
    log.append([prediction(1, prediction="No"), prediction(2)])
    assert log.window(0, 10)["prediction"].to_pylist() == ["Yes", "Yes"]


def test_outcomes_are_idempotent(log):
    log.append([prediction(1), prediction(2)])
    assert log.record([outcome(1), outcome(2)]) == 2
    assert log.record([outcome(1), outcome(2, at=120.0)]) == 0
    assert log.window(0, 10)["outcome_at"].to_pylist() == [99.0, 99.0]


def test_unknown_prediction_is_named_and_nothing_is_recorded(log):
    log.append([prediction(1)])
    with pytest.raises(UnknownPredictionError) as error:
        log.record([outcome(1), outcome(8), outcome(9)])
    assert error.value.predictions == ("p-00008", "p-00009")
    assert log.window(0, 10)["outcome"].to_pylist() == [None]


def test_contradiction_is_refused_and_nothing_is_recorded(log):
    log.append([prediction(1), prediction(2)])
    log.record([outcome(1)])
    with pytest.raises(OutcomeConflictError) as error:
        log.record([outcome(2), outcome(1, "No")])
    assert (error.value.known, error.value.given) == ("Yes", "No")
    assert log.window(0, 10)["outcome"].to_pylist() == ["Yes", None]


def test_contradiction_within_one_call_is_refused(log):
    log.append([prediction(1)])
    with pytest.raises(OutcomeConflictError):
        log.record([outcome(1, "Yes"), outcome(1, "No")])


def test_arms_count_only_this_generation_and_later(log):
    log.append([prediction(1, generation=1)])
    log.append([prediction(number, generation=2) for number in (2, 3)])
    log.append([prediction(4, generation=3, version=2, error="boom", prediction=None)])
    arms = log.arms(generation=2)
    assert (arms[1].requests, arms[1].errors) == (2, 0)
    assert (arms[2].requests, arms[2].errors) == (1, 1)
    assert arms[1].slow == {}


def test_arms_do_not_count_requests_that_named_their_version(log):
    log.append([prediction(1), prediction(2, version=2, propensity=0.0)])
    log.record([outcome(2, "No")])
    assert list(log.arms(generation=0)) == [1]


def test_arms_sum_the_zero_one_loss_of_classes(log):
    log.append([prediction(number) for number in range(5)])
    log.append([prediction(5, prediction="1")])
    log.record([outcome(0, "Yes"), outcome(1, "No"), outcome(2, "No"), outcome(5, 1)])
    arm = log.arms(generation=1)[1]
    assert (arm.outcomes, arm.outcome_sum, arm.outcome_squares) == (4, 2.0, 2.0)


def test_arms_sum_the_scaled_absolute_error_of_numbers_cut_at_1(log):
    log.append([prediction(1, prediction=3.0), prediction(2, prediction=10.0)])
    log.record([outcome(1, 5.0), outcome(2, 6.0)])
    for scale, sums in ((8.0, (0.75, 0.3125)), (4.0, (1.5, 1.25)), (2.0, (2.0, 2.0))):
        arm = log.arms(generation=1, scale=scale)[1]
        truth, answered = [5.0, 6.0], [3.0, 10.0]
        loss = value_loss(truth, answered, scale=scale)
        assert (arm.outcomes, arm.outcome_sum, arm.outcome_squares) == (2, *sums)
        assert sums == (loss.sum(), (loss**2).sum())


def test_arms_tell_losses_apart_by_the_document_that_answers_were_given_under(log):
    log.append([prediction(number, generation=1 + number // 4) for number in range(12)])
    wrong = (0, 4, 5)
    log.record([outcome(number, "No" if number in wrong else "Yes") for number in range(8)])
    arm = log.arms(generation=0)[1]
    assert arm.losses == {1: LossSum(4, 1.0), 2: LossSum(4, 2.0)}
    assert (arm.outcomes, arm.outcome_sum, arm.outcome_squares) == (8, 3.0, 3.0)
    assert log.arms(generation=2)[1].losses == {2: LossSum(4, 2.0)}


def test_slow_answers_are_counted_for_each_limit_that_is_asked_for(log):
    log.append([prediction(number, generation=1 + (number < 3)) for number in range(9)])
    log.append([prediction(9, version=2, generation=2, error="boom", prediction=None)])
    log.append([prediction(10, generation=2, propensity=0.0)])
    arms = log.arms(generation=1, slow_s=(0.0045, 0.0))
    assert arms[1].slow == {0.0045: 4, 0.0: 8}
    assert arms[2].slow == {0.0045: 1, 0.0: 1}
    assert log.arms(generation=2, slow_s=(0.001,))[1].slow == {0.001: 1}


def test_answer_that_cannot_be_written_rolls_the_others_back(log):
    with pytest.raises((OverflowError, JournalError)):
        log.append([prediction(1), prediction(2, version=2**70)])
    assert log.span()[2] == 0
    log.append([prediction(3)])


def test_stretch_counts_positions_over_all_versions_in_the_order_of_arrival(log):
    for group in ([prediction(7), prediction(3)], [prediction(5, version=2)], [prediction(4)]):
        log.append(group)
        log.span()  # in an object store answers wait, in order of time, for somebody to look
    log.record([outcome(4, "No")])
    assert log.stretch(0, 9)["position"].to_pylist() == [0, 1, 2, 3]
    table = log.stretch(1, 4)
    assert table["id"].to_pylist() == ["p-00003", "p-00005", "p-00004"]
    assert table["outcome"].to_pylist() == [None, None, "No"]
    assert log.stretch(0, 9, version=2)["position"].to_pylist() == [2]
    assert log.stretch(4, 9).num_rows == 0


def test_versions_of_one_group_stand_one_after_the_other(log):
    log.append([prediction(number, version=1 + number % 2) for number in (3, 4, 5)])
    assert log.stretch(0, 9)["id"].to_pylist() == ["p-00003", "p-00005", "p-00004"]


def test_late_answer_moves_no_position(log):
    log.append([prediction(5)])
    before = log.stretch(0, 1)["id"].to_pylist()
    log.append([prediction(4)])
    assert log.stretch(0, 1)["id"].to_pylist() == before


def test_whole_numbers_beyond_64_bits_are_kept_as_floats(log):
    log.append([prediction(1, features={"a": 10**30, "b": True}), prediction(2)])
    assert log.window(0, 10)["feature.a"].to_pylist() == [1e30, None]
    assert log.window(0, 10)["feature.b"].to_pylist() == [True, None]


def test_slow_answers_are_counted_as_they_come(log):
    log.append([prediction(number) for number in range(10)])
    assert log.arms(generation=1, slow_s=(0.005, 0.1))[1].slow == {0.005: 4, 0.1: 0}
    log.append([prediction(10), prediction(11, propensity=0.0), prediction(12, generation=2)])
    assert log.arms(generation=1, slow_s=(0.005, 0.1))[1].slow == {0.005: 6, 0.1: 0}
    assert log.arms(generation=2, slow_s=(0.005,))[1].slow == {0.005: 1}


def test_ids_of_keys_are_oldest_first_and_only_of_answers(log):
    log.append([prediction(2, key="a"), prediction(1, key="a"), prediction(3, key="b")])
    log.append([prediction(4, key="c", error="x")])
    assert log.of_keys(["a", "c", "d"]) == {"a": ["p-00001", "p-00002"]}


def test_id_that_no_store_can_hold_is_unknown(log):
    log.append([prediction(1)])
    with pytest.raises(UnknownPredictionError):
        log.record([Outcome(prediction="p-00001\0", value="Yes", at=1.0)])


def test_outcome_of_a_failed_answer_counts_as_no_loss(log):
    log.append([prediction(1, error="boom", prediction=None), prediction(2)])
    log.record([outcome(1), outcome(2, "No")])
    arm = log.arms(generation=1)[1]
    assert (arm.outcomes, arm.outcome_sum) == (1, 1.0)


def test_many_outcomes_at_once(log):
    log.append([prediction(number) for number in range(3000)])
    assert log.record([outcome(number) for number in range(3000)]) == 3000
    assert log.record([outcome(number) for number in range(3000)]) == 0
    assert log.arms(generation=1)[1].outcomes == 3000


def test_readers_see_whole_groups_while_one_writes(opened, log):
    reader = opened()
    seen = []

    def read():
        while not seen or seen[-1] < 100 * 10:
            seen.append(reader.span()[2])

    thread = threading.Thread(target=read)
    thread.start()
    for group in range(100):
        log.append([prediction(group * 10 + number) for number in range(10)])
    thread.join(20)
    assert seen[-1] == 1000
    assert all(count % 10 == 0 for count in seen)


def test_two_writers_wait_for_each_other(opened, log):
    other = opened()

    def write(which, start):
        for number in range(50):
            which.append([prediction(start + number)])

    threads = [
        threading.Thread(target=write, args=arguments) for arguments in ((log, 0), (other, 100))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert log.span()[2] == 100
    assert log.stretch(0, 100)["position"].to_pylist() == list(range(100))


def test_every_store_tells_the_same(log, tmp_path):
    plain = SqliteLog(tmp_path / "plain.db")
    for one in (log, plain):
        hours.fill(one, 150)
    assert hours.told(log) == hours.told(plain)
    plain.close()


def test_another_process_is_told_what_was_acknowledged(opened, log):
    hours.fill(log, 150)
    assert hours.told(opened()) == hours.told(log)


def test_moving_answers_into_files_changes_nothing_that_is_told(log, tmp_path):
    plain = SqliteLog(tmp_path / "plain.db")
    for one in (log, plain):
        hours.fill(one, 150)
    log.compact(hours.DAY + 1.5 * hours.HOUR)
    again = [hours.prediction(n, key="again") for n in range(150)] + [hours.prediction(150)]
    for one in (log, plain):
        one.append(again)
        one.record([hours.outcome(1)])
    expected = hours.told(plain)
    assert hours.told(log) == expected
    log.compact(hours.DAY + 100 * hours.HOUR)
    assert hours.told(log) == expected
    plain.close()


@pytest.mark.parametrize("step", hours.STEPS)
def test_moving_that_is_cut_between_any_two_steps_loses_and_doubles_nothing(opened, log, step):
    hours.fill(log, 70)
    before = hours.told(log)

    def cut(reached):
        if reached == step:
            raise hours.CutError

    with pytest.raises(hours.CutError):
        Compaction(log._store, log._files, cut).compact(hours.DAY + 24 * hours.HOUR)
    assert hours.told(opened()) == before
    log.compact(hours.DAY + 24 * hours.HOUR)
    assert hours.told(log) == before
