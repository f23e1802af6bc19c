"""Tests of deadlines: each rings in time whatever the order, and what is done is neither ended nor kept."""

import asyncio

import pytest

from setpoint.clock import SystemClock
from setpoint.gateway import deadlines
from setpoint.gateway.deadlines import Deadlines, OutOfTimeError

CLOCK = SystemClock()


def watched(*delays_s):
    """Return deadlines, and futures that are watched for so many seconds."""
    watcher = Deadlines(CLOCK)
    futures = [asyncio.get_running_loop().create_future() for _ in delays_s]
    for future, delay_s in zip(futures, delays_s, strict=True):
        watcher.watch(future, CLOCK.stopwatch() + delay_s)
    return watcher, futures


def test_waits_end_in_the_order_of_their_deadlines_not_of_their_coming():
    async def scenario():
        _, futures = watched(0.06, 0.02, 5.0, 0.04)
        ended = []
        for place, future in enumerate(futures):
            future.add_done_callback(lambda _, place=place: ended.append(place))
        started = CLOCK.stopwatch()
        with pytest.raises(OutOfTimeError):
            await futures[0]
        await asyncio.sleep(0)
        lasted = CLOCK.stopwatch() - started
        assert not futures[2].done()
        futures[1].exception(), futures[3].exception()
        return ended, lasted

    ended, lasted = asyncio.run(scenario())
    assert ended == [1, 3, 0]
    assert 0.055 < lasted < 1.0


def test_future_that_is_done_keeps_its_answer():
    async def scenario():
        _, (answered, cancelled) = watched(0.01, 0.01)
        answered.set_result("yes")
        cancelled.cancel()
        await asyncio.sleep(0.05)
        return answered.result(), cancelled.cancelled()

    assert asyncio.run(scenario()) == ("yes", True)


def test_deadline_that_is_over_already_ends_the_wait_at_once():
    async def scenario():
        _, (future,) = watched(-1.0)
        with pytest.raises(OutOfTimeError):
            await asyncio.wait_for(future, 1)

    asyncio.run(scenario())


def test_futures_that_are_done_are_let_go_long_before_their_deadline(monkeypatch):
    monkeypatch.setattr(deadlines, "_ROOM", 10)

    async def scenario():
        loop = asyncio.get_running_loop()
        watcher = Deadlines(CLOCK)
        most = 0
        for _ in range(10_000):
            future = loop.create_future()
            watcher.watch(future, CLOCK.stopwatch() + 30.0)
            future.set_result(None)
            most = max(most, len(watcher._watched))
        return most

    assert asyncio.run(scenario()) <= 1025  # the room that it begins with


def test_many_that_wait_are_looked_through_seldom(monkeypatch):
    monkeypatch.setattr(deadlines, "_ROOM", 4)
    looks = []
    let_go = Deadlines._let_go
    monkeypatch.setattr(Deadlines, "_let_go", lambda self: (looks.append(1), let_go(self)))

    async def scenario():
        watched(*[30.0] * 3000)

    asyncio.run(scenario())
    assert len(looks) < 10  # twice as many each time
