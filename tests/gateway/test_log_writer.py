"""Tests of the log writer: what was promised is on disk, what cannot be written is never lost silently."""

import asyncio
import threading

import pytest

from setpoint.clock import SystemClock
from setpoint.errors import JournalError, UnknownPredictionError
from setpoint.facts.prediction import Answerer, Outcome, Prediction
from setpoint.gateway.log_writer import LogWriter

BY = Answerer(model="churn", version=1, contract="c", generation=1, columns=())


def prediction(number):
    return Prediction(
        by=BY,
        id=f"p-{number}",
        at=1.0,
        variant="champion",
        propensity=1.0,
        values=(),
        prediction="Yes",
    )


class FakeLog:
    """Keeps groups in memory; fails, or waits, when told."""

    def __init__(self):
        self.groups = []
        self.error = None
        self.gate = threading.Event()
        self.gate.set()
        self.entered = threading.Event()

    def append(self, predictions):
        self.entered.set()
        assert self.gate.wait(10)
        if self.error is not None:
            raise self.error
        self.groups.append([one.id for one in predictions])

    def record(self, outcomes):
        known = {name for group in self.groups for name in group}
        if unknown := [one.prediction for one in outcomes if one.prediction not in known]:
            raise UnknownPredictionError(unknown)
        return len(outcomes)

    @property
    def ids(self):
        return [name for group in self.groups for name in group]


class StepClock(SystemClock):
    """A stopwatch that goes on only while the log is written, by a second a write."""

    def __init__(self, log):
        self.log = log

    def stopwatch(self):
        return float(len(self.log.groups))


def run(scenario, log, clock=None, **options):
    async def whole():
        writer = LogWriter(log, clock or SystemClock(), **options)
        writer.start()
        try:
            return await scenario(writer)
        finally:
            await writer.drain()

    return asyncio.run(whole())


async def until(condition):
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110 (a thread changes it, not a task)
            await asyncio.sleep(0.005)


def test_durable_answer_waits_for_its_transaction():
    log = FakeLog()
    log.gate.clear()

    async def scenario(writer):
        done = writer.put([prediction(1)], durable=True)
        await until(log.entered.is_set)
        assert not done.done()
        log.gate.set()
        await done
        assert log.ids == ["p-1"]

    run(scenario, log)


def test_answers_that_gather_during_a_commit_share_the_next():
    log = FakeLog()
    log.gate.clear()

    async def scenario(writer):
        first = writer.put([prediction(0)], durable=True)
        await until(log.entered.is_set)
        others = [writer.put([prediction(number)], durable=True) for number in range(1, 50)]
        log.gate.set()
        await asyncio.gather(first, *others)

    run(scenario, log)
    assert [len(group) for group in log.groups] == [1, 49]


def test_requests_of_further_turns_share_a_commit_where_several_wait():
    log = FakeLog()

    async def scenario(writer):
        await asyncio.gather(*(writer.put([prediction(one)], durable=True) for one in range(2)))
        waiting = []
        for number in range(2, 6):
            waiting.append(writer.put([prediction(number)], durable=True))
            await asyncio.sleep(0)
        await asyncio.gather(*waiting)

    run(scenario, log, StepClock(log))
    assert [len(group) for group in log.groups] == [2, 4]


def test_request_alone_waits_for_nobody():
    log = FakeLog()

    async def scenario(writer):
        for number in range(3):
            log.entered.clear()
            done = writer.put([prediction(number)], durable=True)
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            assert await asyncio.to_thread(log.entered.wait, 10)
            await done

    run(scenario, log)
    assert [len(group) for group in log.groups] == [1, 1, 1]


def test_requests_that_keep_coming_hold_no_commit_up_for_long():
    log = FakeLog()

    async def scenario(writer):
        log.gate.clear()
        slow = [writer.put([prediction(number)], durable=True) for number in range(2)]
        await until(log.entered.is_set)
        await asyncio.sleep(0.02)
        log.gate.set()
        await asyncio.gather(*slow)
        log.groups.clear()
        number, waiting = 2, []
        async with asyncio.timeout(10):
            while not log.groups:
                waiting.append(writer.put([prediction(number)], durable=True))
                number += 1
                await asyncio.sleep(0)
        await asyncio.gather(*waiting)

    run(scenario, log)


def test_failed_durable_write_reaches_everybody_who_waits_and_nobody_later():
    log = FakeLog()
    log.error = JournalError("disk full")

    async def scenario(writer):
        waiting = [writer.put([prediction(number)], durable=True) for number in range(5)]
        failed = await asyncio.gather(*waiting, return_exceptions=True)
        assert all(isinstance(error, JournalError) for error in failed)
        assert "disk full" in writer.problem
        assert writer.lost == 0  # nobody got these answers
        log.error = None
        await writer.put([prediction(9)], durable=True)
        assert writer.problem == ""

    run(scenario, log)
    assert log.ids == ["p-9"]


def test_buffered_answers_are_on_disk_within_200_ms():
    log = FakeLog()

    async def scenario(writer):
        assert writer.put([prediction(1)], durable=False) is None
        await asyncio.sleep(0.2)
        return list(log.ids)

    assert run(scenario, log) == ["p-1"]


def test_buffered_answers_outlive_a_disk_that_was_full():
    log = FakeLog()
    log.error = JournalError("disk full")

    async def scenario(writer):
        for number in range(3):
            writer.put([prediction(number)], durable=False)
        await until(lambda: writer.failures)
        writer.put([prediction(3)], durable=False)
        assert "disk full (4 answers kept, 0 lost)" in writer.problem
        log.error = None
        await until(lambda: not writer.pending)
        assert writer.problem == ""

    run(scenario, log)
    assert log.ids == ["p-0", "p-1", "p-2", "p-3"]


def test_answers_beyond_the_capacity_are_counted_as_lost():
    log = FakeLog()
    log.error = JournalError("disk full")

    async def scenario(writer):
        for number in range(7):
            writer.put([prediction(number)], durable=False)
        await until(lambda: writer.failures)
        assert writer.lost == 2
        assert "(5 answers kept, 2 lost)" in writer.problem
        log.error = None

    run(scenario, log, capacity=5)
    assert log.ids == [f"p-{number}" for number in range(5)]


def test_drain_writes_what_waits_and_counts_what_it_cannot():
    log = FakeLog()

    async def scenario(writer):
        writer.put([prediction(1)], durable=False)
        assert await writer.drain() == 0
        assert log.ids == ["p-1"]

    run(scenario, log)

    full = FakeLog()
    full.error = JournalError("disk full")

    async def hopeless(writer):
        writer.put([prediction(1), prediction(2)], durable=False)
        return await writer.drain()

    assert run(hopeless, full) == 2


def test_answer_that_no_log_can_take_does_not_stop_the_writer():
    log = FakeLog()
    log.error = TypeError("cannot encode")

    async def scenario(writer):
        done = writer.put([prediction(1)], durable=True)
        with pytest.raises(JournalError, match="cannot encode"):
            await done
        writer.put([prediction(2)], durable=False)
        await until(lambda: writer.lost == 1)  # trying it again would fail for ever
        log.error = None
        await writer.put([prediction(3)], durable=True)

    run(scenario, log)
    assert log.ids == ["p-3"]


def test_outcome_finds_an_answer_that_is_still_buffered():
    log = FakeLog()

    async def scenario(writer):
        writer.put([prediction(1)], durable=False)
        outcome = Outcome(prediction="p-1", value="Yes", at=2.0)
        assert await writer.record([outcome]) == 1
        with pytest.raises(UnknownPredictionError):
            await writer.record([Outcome(prediction="p-2", value="Yes", at=2.0)])

    run(scenario, log)


class SlowLog(FakeLog):
    """Takes several commits at a time, each until it is let go, and counts them."""

    def __init__(self):
        super().__init__()
        self.under_way = 0
        self.most = 0
        self.lock = threading.Lock()

    def append(self, predictions):
        with self.lock:
            self.under_way += 1
            self.most = max(self.most, self.under_way)
        try:
            super().append(predictions)
        finally:
            with self.lock:
                self.under_way -= 1


def test_commits_under_way_are_as_many_as_there_are_lanes_and_the_rest_gathers():
    log = SlowLog()
    log.gate.clear()

    async def scenario(writer):
        waiting = []
        for number in range(10):
            waiting.append(writer.put([prediction(number)], durable=True))
            await asyncio.sleep(0.01)
        assert log.under_way == 3
        assert writer.pending == 10
        log.gate.set()
        await asyncio.gather(*waiting)

    run(scenario, log, lanes=3)
    assert log.most == 3
    assert sorted(map(len, log.groups)) == [1, 1, 1, 7]


def test_outcomes_wait_for_all_commits_before_them_on_whatever_lane():
    log = SlowLog()
    log.gate.clear()

    async def scenario(writer):
        first = writer.put([prediction(1)], durable=True)
        await asyncio.sleep(0.01)
        second = writer.put([prediction(2)], durable=True)
        await asyncio.sleep(0.01)
        told = writer.record([Outcome(prediction=f"p-{n}", value="Yes", at=2.0) for n in (1, 2)])
        await asyncio.sleep(0.05)
        assert not told.done()
        log.gate.set()
        assert await told == 2
        await asyncio.gather(first, second)

    run(scenario, log, lanes=4)


def test_failure_on_one_lane_is_told_to_those_who_wait_for_it_alone():
    log = SlowLog()

    def append(predictions):
        if predictions[0].id == "p-1":
            raise JournalError("no")
        log.groups.append([one.id for one in predictions])

    log.append = append

    async def scenario(writer):
        waiting = []
        for number in range(3):
            waiting.append(writer.put([prediction(number)], durable=True))
            await asyncio.sleep(0)
            await asyncio.sleep(0)
        found = await asyncio.gather(*waiting, return_exceptions=True)
        assert [type(one) for one in found] == [type(None), JournalError, type(None)]

    run(scenario, log, lanes=4)
    assert sorted(log.ids) == ["p-0", "p-2"]


def test_draining_ends_all_lanes():
    log = SlowLog()
    log.gate.clear()

    async def scenario(writer):
        waiting = []
        for number in range(6):
            waiting.append(writer.put([prediction(number)], durable=True))
            await asyncio.sleep(0.01)
        threading.Timer(0.1, log.gate.set).start()
        await writer.drain()
        assert all(one.done() and one.exception() is None for one in waiting)

    async def whole():
        writer = LogWriter(log, SystemClock(), lanes=3)
        writer.start()
        await scenario(writer)

    asyncio.run(whole())
    assert sorted(log.ids) == [f"p-{n}" for n in range(6)]
