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


def run(scenario, log, **options):
    async def whole():
        writer = LogWriter(log, SystemClock(), **options)
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
