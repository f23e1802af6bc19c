"""Tests of batches: who shares a run, who pays for a failure, and that nobody is mixed up or forgotten."""

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from setpoint.clock import SystemClock
from setpoint.facts.evidence import Scores
from setpoint.gateway.models import batching
from setpoint.gateway.models.batching import BATCH_ROWS, INLINE_ROWS, Batcher, ModelFailedError
from setpoint.gateway.rows.column_check import ColumnRule
from setpoint.gateway.rows.schema import RequestDocument, Schema

SCHEMA = Schema(
    RequestDocument(
        model="m", task="regression", contract="c", columns=(ColumnRule(name="x", kind="float"),)
    )
)


class Echo:
    """A model that answers its input; fails on negative ones; can be held up."""

    def __init__(self, *, inline):
        self.inline = inline
        self.runs = []
        self.threads = set()
        self.gate = threading.Event()
        self.gate.set()
        self.entered = threading.Event()

    def run(self, rows):
        self.entered.set()
        assert self.gate.wait(10)
        self.threads.add(threading.get_ident())
        values = np.array([row[0] for row in rows])
        self.runs.append(len(values))
        if (values < 0).any():
            raise RuntimeError("no answer below zero")
        return Scores(np.empty(0, np.int64), np.empty((0, 0)), values)


class StillClock(SystemClock):
    """Time that stands: batches are cut by rows alone, however busy the machine is."""

    def stopwatch(self):
        return 0.0


async def answer(batcher, *values):
    asked = batcher.ask([(value,) for value in values])
    return (await asked if isinstance(asked, asyncio.Future) else asked).labels


def play(model, scenario):
    async def whole():
        with ThreadPoolExecutor(1) as executor:
            return await scenario(Batcher(SCHEMA, model, executor, clock=StillClock()))

    return asyncio.run(whole())


def test_lone_requests_are_answered_at_once_on_the_event_loop():
    model = Echo(inline=True)

    async def scenario(batcher):
        found = []
        for value in range(50):
            asked = batcher.ask([(float(value),)])
            found.append(asked.labels)  # no future
            await asyncio.sleep(0)
        return found

    assert play(model, scenario) == [[float(value)] for value in range(50)]
    assert model.runs == [1] * 50


def test_requests_of_one_turn_share_a_run_and_keep_their_own_answers():
    model = Echo(inline=True)

    async def scenario(batcher):
        return await asyncio.gather(*(answer(batcher, value, value + 0.5) for value in range(30)))

    assert play(model, scenario) == [[value, value + 0.5] for value in range(30)]
    assert model.runs[0] == 2  # the first did not know that it had company
    assert sum(model.runs) == 60
    assert len(model.runs) <= 3


def test_busy_batcher_that_becomes_lonely_answers_at_once_again(monkeypatch):
    monkeypatch.setattr(batching, "_LONELY_TURNS", 3)

    async def scenario(batcher):
        await asyncio.gather(*(answer(batcher, value) for value in range(5)))
        kinds = []
        for _ in range(8):
            asked = batcher.ask([(1.0,)])
            kinds.append(isinstance(asked, asyncio.Future))
            await (asked if kinds[-1] else asyncio.sleep(0))
        return kinds

    kinds = play(Echo(inline=True), scenario)
    assert kinds[0] is True
    assert kinds[-1] is False


def test_slow_model_leaves_the_event_loop_and_gathers_what_queues():
    model = Echo(inline=False)
    model.gate.clear()

    async def scenario(batcher):
        first = asyncio.ensure_future(answer(batcher, 0))
        while not model.entered.is_set():  # noqa: ASYNC110 (a thread sets it)
            await asyncio.sleep(0.001)
        others = [asyncio.ensure_future(answer(batcher, value)) for value in range(1, 100)]
        await asyncio.sleep(0)
        assert batcher.waiting_rows == 99
        model.gate.set()
        return await asyncio.gather(first, *others)

    assert play(model, scenario) == [[value] for value in range(100)]
    assert model.runs == [1, 99]
    assert threading.get_ident() not in model.threads


def test_many_rows_of_a_quick_model_leave_the_event_loop():
    model = Echo(inline=True)
    play(model, lambda batcher: answer(batcher, *range(INLINE_ROWS + 1)))
    assert threading.get_ident() not in model.threads


def test_batch_is_bounded_but_never_splits_a_request():
    model = Echo(inline=False)
    model.gate.clear()

    async def scenario(batcher):
        first = asyncio.ensure_future(answer(batcher, 0))
        while not model.entered.is_set():  # noqa: ASYNC110 (a thread sets it)
            await asyncio.sleep(0.001)
        large = asyncio.ensure_future(answer(batcher, *range(BATCH_ROWS + 5)))
        others = [asyncio.ensure_future(answer(batcher, *range(400))) for _ in range(4)]
        await asyncio.sleep(0)
        model.gate.set()
        await asyncio.gather(first, large, *others)

    play(model, scenario)
    assert model.runs == [1, BATCH_ROWS + 5, 800, 800]


@pytest.mark.parametrize("inline", [True, False])
def test_request_fails_only_by_its_own_rows(inline):
    async def scenario(batcher):
        asked = [answer(batcher, value) for value in (1.0, -1.0, 2.0, 3.0)]
        return await asyncio.gather(*asked, return_exceptions=True)

    first, failed, *others = play(Echo(inline=inline), scenario)
    assert (first, others) == ([1.0], [[2.0], [3.0]])
    assert isinstance(failed, ModelFailedError)
    assert str(failed) == "RuntimeError: no answer below zero"


def test_answer_that_is_no_number_fails_its_own_request_alone():
    async def scenario(batcher):
        asked = [answer(batcher, value) for value in (1.0, 2.0, float("nan"), 3.0)]
        return await asyncio.gather(*asked, return_exceptions=True)

    found = play(Echo(inline=True), scenario)
    assert [found[0], found[1], found[3]] == [[1.0], [2.0], [3.0]]
    assert isinstance(found[2], ModelFailedError)


def test_request_whose_client_is_gone_is_passed_over():
    model = Echo(inline=False)
    model.gate.clear()

    async def scenario(batcher):
        first = asyncio.ensure_future(answer(batcher, 0))
        while not model.entered.is_set():  # noqa: ASYNC110 (a thread sets it)
            await asyncio.sleep(0.001)
        gone, stays = (asyncio.ensure_future(answer(batcher, value)) for value in (1, 2))
        await asyncio.sleep(0)
        gone.cancel()
        await asyncio.sleep(0)
        model.gate.set()
        return await asyncio.gather(first, stays)

    assert play(model, scenario) == [[0], [2]]
    assert model.runs == [1, 1]
