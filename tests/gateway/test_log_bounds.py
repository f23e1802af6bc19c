"""Tests of what waits for a log that has stopped: it is bounded, and who comes too late is told so at once."""

import asyncio
import threading

import pytest

from setpoint.clock import SystemClock
from setpoint.errors import JournalError
from setpoint.facts.prediction import Answerer, Outcome, Prediction
from setpoint.gateway import log_writer
from setpoint.gateway.log_writer import LogWriter

BY = Answerer(model="m", version=1, contract="c", generation=1, columns=())


class Stopped:
    """A log that does nothing until it is let."""

    def __init__(self):
        self.go_on = threading.Event()
        self.predictions = []
        self.outcomes = []

    def append(self, predictions):
        assert self.go_on.wait(10)
        self.predictions.extend(predictions)

    def record(self, outcomes):
        assert self.go_on.wait(10)
        self.outcomes.extend(outcomes)
        return len(outcomes)

    def of_keys(self, keys):
        assert self.go_on.wait(10)
        return {key: ["p"] for key in keys}


def lines(count, start=0):
    return [
        Prediction(
            by=BY,
            id=f"p{number}",
            at=0.0,
            variant="champion",
            propensity=1.0,
            key="",
            request="",
            values=(),
            prediction=1.0,
            probability=None,
            latency_s=0.0,
            error="",
        )
        for number in range(start, start + count)
    ]


def play(scenario):
    log = Stopped()

    async def whole():
        writer = LogWriter(log, SystemClock(), capacity=10)
        writer.start()
        try:
            return await scenario(log, writer)
        finally:
            log.go_on.set()
            await writer.drain()

    return asyncio.run(whole()), log


def test_durable_answers_beyond_the_capacity_fail_at_once_and_the_others_are_kept():
    async def scenario(log, writer):
        under_way = writer.put(lines(1), durable=True)
        await asyncio.sleep(0.05)
        kept = writer.put(lines(10, 1), durable=True)
        with pytest.raises(JournalError, match="11 answers wait for the log already"):
            await writer.put(lines(1, 99), durable=True)
        log.go_on.set()
        await under_way
        await kept

    _, log = play(scenario)
    assert [line.id for line in log.predictions] == [f"p{number}" for number in range(11)]


def test_outcomes_beyond_the_capacity_fail_at_once():
    told = [Outcome(prediction=f"p{number}", value=1.0, at=0.0) for number in range(11)]

    async def scenario(log, writer):
        under_way = writer.record(told[:1])
        await asyncio.sleep(0.05)
        kept = writer.record(told[:10])
        with pytest.raises(JournalError, match="10 outcomes wait for the log already"):
            await writer.record(told[:1])
        log.go_on.set()
        return await under_way, await kept

    found, log = play(scenario)
    assert found == (1, 10)
    assert len(log.outcomes) == 11


def test_questions_to_a_log_that_does_not_answer_are_bounded_though_nobody_waits_for_them(
    monkeypatch,
):
    monkeypatch.setattr(log_writer, "_READS", 3)

    async def scenario(log, writer):
        writer.record = lambda _: asyncio.sleep(0)
        asking = [asyncio.ensure_future(writer.of_keys([f"k{number}"])) for number in range(3)]
        await asyncio.sleep(0.05)
        for one in asking:
            one.cancel()  # their time is over; the threads are not done all the same
        with pytest.raises(JournalError, match="3 requests wait for the log to be read"):
            await writer.of_keys(["k"])
        log.go_on.set()
        while writer._reads:  # noqa: ASYNC110 (threads change it)
            await asyncio.sleep(0.005)
        return await writer.of_keys(["k"])

    found, _ = play(scenario)
    assert found == {"k": ["p"]}
