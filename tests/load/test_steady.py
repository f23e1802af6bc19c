"""Loads on virtual time: what is sent when, and what is said of who was slow."""

import asyncio

import pytest

from setpoint.client import DeadlineError, OverloadedError, RequestRefusedError
from setpoint.load.steady import Pace, Steady
from setpoint.load.tally import GIVEN_UP


def measured(loop, ask, *, rate=100.0, seconds=2.0, concurrency=10, stop_at=None, told=None):
    pace = Pace(
        rate,
        seconds,
        concurrency,
        loop.time,
        lambda: (loop.now / 10, loop.now / 5),
        told or (lambda *_: None),
    )

    async def whole():
        stop = asyncio.Event()
        if stop_at is not None:
            loop.call_later(stop_at, stop.set)
        return await Steady(ask, pace).run(stop)

    return loop.run_until_complete(whole())


def server(loop, answer, takes):
    """Answer each request after `takes(number)` seconds; remembers when each came."""
    came = []

    async def ask(number):
        came.append(loop.time())
        await asyncio.sleep(takes(number))
        return answer()

    return ask, came


def test_requests_leave_at_their_time(loop, answer):
    ask, came = server(loop, answer, lambda _: 0.005)
    found = measured(loop, ask)
    assert found.sent == found.answered == found.scheduled == 200
    assert all(0 <= at - number / 100 < 0.002 for number, at in enumerate(came))
    assert found.latency.p50 == pytest.approx(0.005, rel=0.01)
    assert found.latency.count == 200
    assert found.late_share == 0
    assert found.answered_per_s == pytest.approx(100, rel=0.02)
    assert not found.interrupted


def test_several_fall_due_at_once_where_a_timer_is_too_coarse(loop, answer):
    ask, came = server(loop, answer, lambda _: 0.001)
    found = measured(loop, ask, rate=5000, seconds=1)
    assert found.sent == 5000
    assert all(-1e-9 <= at - number / 5000 < 0.0015 for number, at in enumerate(came))
    assert found.latency.p999 < 0.003


def test_requests_go_out_though_no_answer_comes(loop, answer):
    ask, came = server(loop, answer, lambda _: 1.0)
    found = measured(loop, ask, concurrency=1000)
    assert found.sent == 200
    assert came[-1] == pytest.approx(1.99, abs=0.002)
    assert found.latency.p50 == pytest.approx(1.0, rel=0.01)


def test_a_stall_is_told_by_every_request_that_it_kept_waiting(loop, answer):
    """One request of 2 s would be 1 of 101 for a generator that waits for it; it kept half of all waiting."""

    def takes(number):
        return 2.0 if number == 100 else 0.001

    ask, _ = server(loop, answer, takes)
    found = measured(loop, ask, seconds=4, concurrency=1)
    assert found.sent == found.scheduled == 400
    assert found.latency.p90 > 1.0
    assert found.latency.longest == pytest.approx(2.0, rel=0.01)
    assert found.late_share == 0  # the generator had no room; it was not late itself


def test_what_could_not_be_sent_counts_with_the_time_that_it_waited(loop, answer):
    ask, _ = server(loop, answer, lambda _: 0.1)  # 10 a second with one connection
    found = measured(loop, ask, concurrency=1)
    assert found.scheduled == 200
    assert found.sent == pytest.approx(20, abs=1)
    assert found.answered == found.sent
    assert found.latency.count == found.scheduled
    assert found.latency.p50 == pytest.approx(1.0, rel=0.15)  # and not 0.1
    assert found.latency.longest > 1.7


def test_a_generator_that_stands_still_says_so(loop, answer):
    async def ask(number):
        if number % 50 == 49:
            loop.now += 0.1  # the whole process stands still
        await asyncio.sleep(0.001)
        return answer()

    found = measured(loop, ask, concurrency=100)
    assert found.sent == 200
    # Three of four stalls have requests after them, and of the ten that fall into each nine are over 10 ms late.
    assert found.late_share == pytest.approx(27 / 200, abs=0.02)
    assert found.latency.p99 > 0.05  # and they are not left out


def test_errors_are_counted_by_kind_and_only_those_that_waited_say_how_long_answers_take(
    loop, answer
):
    failures = {
        1: RequestRefusedError("422: no", status=422),
        2: OverloadedError("503: loading", status=503),
        3: DeadlineError("no answer within 1 s"),
    }

    async def ask(number):
        if (failure := failures.get(number % 4)) is None:
            await asyncio.sleep(0.004)
            return answer("7")
        await asyncio.sleep(1.0 if number % 4 == 3 else 0.0)
        raise failure

    found = measured(loop, ask, seconds=0.4, concurrency=100)
    assert found.answered == 10
    assert found.versions == {"7": 10}
    assert found.statuses == {"200": 10, "422": 10, "503": 10, "none": 10}
    assert found.errors == {"refused 422": 10, "overloaded 503": 10, "no answer in time": 10}
    assert found.examples["refused 422"] == "422: no"
    assert found.latency.count == 20
    assert found.latency.longest == pytest.approx(1.0, rel=0.01)


def test_an_interrupt_reports_what_was_measured_so_far(loop, answer):
    ask, _ = server(loop, answer, lambda _: 0.005)
    found = measured(loop, ask, seconds=1000, stop_at=1.5)
    assert found.interrupted
    assert found.elapsed_s == pytest.approx(1.5, abs=0.2)
    assert found.sent == found.answered == pytest.approx(150, abs=20)
    assert found.scheduled == pytest.approx(found.sent, abs=2)


def test_an_interrupt_does_not_wait_for_answers_that_do_not_come(loop, answer):
    ask, _ = server(loop, answer, lambda _: 1e6)
    found = measured(loop, ask, concurrency=20, stop_at=0.5)
    assert found.sent == 20
    assert found.answered == 0
    assert found.errors == {GIVEN_UP: 20}
    assert loop.now < 3


def test_an_interrupt_while_the_last_answers_are_waited_for(loop, answer):
    ask, _ = server(loop, answer, lambda _: 1e6)
    found = measured(loop, ask, seconds=0.5, concurrency=1000, stop_at=5)
    assert found.errors == {GIVEN_UP: 50}
    assert loop.now < 7


def test_progress_is_told_and_the_end_too(loop, answer):
    ask, _ = server(loop, answer, lambda _: 0.005)
    told = []
    measured(loop, ask, told=lambda at, tally: told.append((at, tally.sent)))
    assert len(told) == pytest.approx(5, abs=1)
    assert told[-1][1] == 200


def test_a_defect_is_not_counted_as_an_answer(loop):
    async def ask(number):
        raise ValueError(number)

    with pytest.raises(ValueError, match="0"):
        measured(loop, ask, seconds=0.05)


def test_the_processor_share_is_that_of_the_sending(loop, answer):
    ask, _ = server(loop, answer, lambda _: 0.005)
    found = measured(loop, ask)
    assert found.processor_share == pytest.approx(0.1)
    assert found.starved_share == pytest.approx(0.2)
