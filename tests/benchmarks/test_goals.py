"""Whether goals are judged by what was measured, and by nothing else."""

import math

import pytest
from benchmarks.serving.goals import BUFFERED, DURABLE, Goal, best_of, goals
from benchmarks.serving.load import Load
from benchmarks.serving.turns import Run, figures

SHARE = f"{BUFFERED}: share of the floor's answers/s at 64"
BEYOND = f"{DURABLE}: ms of p99 at 16 beyond the floor's and 3 fsyncs"


def run(server, connections, rate, *, turn=0, p50_ms=0.5, p99_ms=1.0, others=0.0):
    load = Load(round(rate * 1e6), 1e6, p50_ms, p99_ms, 0)
    return Run(server, turn, connections, load, cpu_us=10.0, others=others)


def runs(server, connections, rate, **options):
    """The same in five turns."""
    return [run(server, connections, rate, turn=turn, **options) for turn in range(5)]


def verdicts(found, peers=("peer",), model="logistic"):
    judged = goals(model, found, found, floor="floor", peers=peers, fsync_p99_ms=1.0)
    return {goal.text: goal.verdict for goal in judged}


@pytest.mark.parametrize("connections", [1, 16, 64])
@pytest.mark.parametrize(("rate", "verdict"), [(70.0, "pass"), (69.9, "miss")])
def test_buffered_must_reach_seventy_percent_of_the_floor(connections, rate, verdict):
    found = [*runs("floor", connections, 100.0), *runs(BUFFERED, connections, rate)]
    share = f"{BUFFERED}: share of the floor's answers/s at {connections}"
    assert verdicts(found)[share] == verdict


def test_without_the_floor_nothing_is_passed():
    found = verdicts([*runs(BUFFERED, 64, 1e9, p99_ms=0.1), *runs(DURABLE, 64, 1e9, p99_ms=0.1)])
    assert set(found.values()) == {"not measured"}


def test_what_was_measured_in_a_crowd_is_neither_pass_nor_miss():
    found = [*runs("floor", 64, 100.0, others=0.9), *runs(BUFFERED, 64, 95.0)]
    assert verdicts(found)[SHARE] == "crowded"


@pytest.mark.parametrize(
    ("model", "connections", "times"),
    [("logistic", 1, 3.5), ("logistic", 64, 10.0), ("forest", 1, 20.0), ("forest", 16, 10.0)],
)
def test_the_best_peer_counts_not_the_slowest(model, connections, times):
    text = f"{BUFFERED}: times the best peer's answers/s at {connections}"
    ours, slow = runs(BUFFERED, connections, 100.0 * times), runs("slow", connections, 1.0)
    best = runs("peer", connections, 101.0)
    assert verdicts([*ours, *best, *slow], ("peer", "slow"), model=model)[text] == "miss"
    assert verdicts([*ours, *slow], ("slow",), model=model)[text] == "pass"


def test_a_durable_answer_may_take_the_floors_p99_and_three_fsyncs():
    floor = runs("floor", 16, 100.0, p99_ms=2.0)
    assert verdicts([*floor, *runs(DURABLE, 16, 50.0, p99_ms=5.0)])[BEYOND] == "pass"
    assert verdicts([*floor, *runs(DURABLE, 16, 50.0, p99_ms=5.1)])[BEYOND] == "miss"


def test_servers_are_compared_within_a_turn_so_that_a_slow_minute_falls_on_both():
    found = []
    for turn, slower in enumerate([1.0, 9.0, 2.0, 5.0, 1.0, 7.0]):
        found.append(run("floor", 16, 100.0, turn=turn, p99_ms=2.0 * slower))
        found.append(run(DURABLE, 16, 50.0, turn=turn, p99_ms=2.0 * slower + 2.9))
    assert verdicts(found)[BEYOND] == "pass"


def test_a_turn_that_one_of_them_missed_does_not_count():
    found = [*runs("floor", 16, 100.0), *runs(DURABLE, 16, 50.0)]
    late = run(DURABLE, 16, 50.0, turn=9, p99_ms=1e6)
    (goal,) = [
        one
        for one in goals(
            "forest",
            found,
            [*found, late],
            floor="floor",
            peers=(),
            fsync_p99_ms=1.0,
        )
        if one.text == BEYOND
    ]
    assert len(goal.values) == 5


def test_turns_that_contradict_each_other_tell_nothing():
    beyond = [-0.3, 0.2, -0.1, 0.3, -0.2]
    assert Goal("", beyond, 0.0, at_least=False, model="").verdict == "inconclusive"
    assert Goal("", [*beyond, *[-0.2] * 8], 0.0, at_least=False, model="").verdict == "pass"


def test_four_turns_are_too_few_to_tell_anything():
    assert Goal("", [0.9] * 4, 0.7, at_least=True, model="").verdict == "inconclusive"
    assert Goal("", [0.9] * 5, 0.7, at_least=True, model="").verdict == "pass"


def test_an_interval_that_holds_the_limit_is_no_pass_though_the_median_is_on_it():
    values = [0.6, 0.7, 0.7, 0.7, 0.7]
    assert Goal("", values, 0.7, at_least=True, model="").verdict == "inconclusive"
    assert Goal("", [0.0, 0.0, 0.0, 0.0, 9.0], 0.0, False, "").verdict == "inconclusive"


def test_a_turn_without_an_answer_counts_against_the_gateway_and_not_for_it():
    silent = run(BUFFERED, 64, 0.0, turn=0, p50_ms=0.0, p99_ms=0.0)
    found = [*runs("floor", 64, 100.0), silent, *runs(BUFFERED, 64, 90.0)[1:]]
    found += runs("peer", 64, 1.0)
    judged = verdicts(found)
    assert judged[SHARE] == "inconclusive"
    assert judged[f"{BUFFERED}: p99 at 64 as a share of the lowest peer's"] == "inconclusive"


def test_a_turn_in_which_the_floor_gave_no_answer_does_not_count():
    dead = run("floor", 64, 0.0, turn=0, p50_ms=0.0, p99_ms=0.0)
    found = [dead, *runs("floor", 64, 100.0)[1:], run("floor", 64, 100.0, turn=5)]
    found += [*runs(BUFFERED, 64, 90.0), run(BUFFERED, 64, 90.0, turn=5)]
    assert verdicts(found)[SHARE] == "pass"


def test_interval_is_made_of_order_statistics():
    # Of nine turns the second and the eighth: 1 - 2 * (1 + 9) / 512 = 96.1 %; the third and the seventh have 82 %.
    goal = Goal("", [5.0, 1.0, 9.0, 3.0, 7.0, 2.0, 8.0, 4.0, 6.0], 0.0, at_least=True, model="")
    assert goal.span == (2.0, 8.0)
    assert Goal("", [1.0, 2.0], 0.0, at_least=True, model="").span == (-math.inf, math.inf)


@pytest.mark.parametrize("connections", [1, 16, 64])
def test_latency_is_held_against_the_lowest_of_the_peers(connections):
    found = [
        *runs(BUFFERED, connections, 1.0, p50_ms=0.4, p99_ms=5.0),
        *runs("peer", connections, 1.0, p50_ms=0.5, p99_ms=4.0),
        *runs("slow", connections, 1.0, p50_ms=50.0, p99_ms=400.0),
    ]
    judged = verdicts(found, ("peer", "slow"))
    assert judged[f"{BUFFERED}: p50 at {connections} as a share of the lowest peer's"] == "pass"
    assert judged[f"{BUFFERED}: p99 at {connections} as a share of the lowest peer's"] == "miss"


def test_there_is_no_best_peer_among_none():
    (floor,) = figures([run("floor", 1, 1.0)])
    assert best_of({"floor": floor}, ["peer"]) == ""
