"""Whether goals are judged by what was measured, and by nothing else."""

import pytest
from benchmarks.serving.goals import BUFFERED, DURABLE, best_of, goals
from benchmarks.serving.rounds import Figure


def figure(server, connections, rate, *, p50_ms=0.5, p99_ms=1.0, others=0.0):
    return Figure(server, connections, rate, rate, rate, p50_ms, p99_ms, 10.0, 0, 5, others)


def verdicts(found, peers=("peer",), fsync_p99_ms=1.0, model="logistic"):
    judged = goals(model, found, floor="floor", peers=peers, fsync_p99_ms=fsync_p99_ms)
    return {goal.text: goal.verdict for goal in judged}


SHARE = f"{BUFFERED}: share of the floor's answers/s at 64"


@pytest.mark.parametrize("connections", [1, 16, 64])
@pytest.mark.parametrize(("rate", "verdict"), [(70.0, "pass"), (69.9, "miss")])
def test_buffered_must_reach_seventy_percent_of_the_floor(connections, rate, verdict):
    found = [figure("floor", connections, 100.0), figure(BUFFERED, connections, rate)]
    share = f"{BUFFERED}: share of the floor's answers/s at {connections}"
    assert verdicts(found)[share] == verdict


def test_without_the_floor_nothing_is_passed():
    found = verdicts([figure(BUFFERED, 64, 1e9, p99_ms=0.0), figure(DURABLE, 64, 1e9, p99_ms=0.0)])
    assert set(found.values()) == {"not measured"}


def test_what_was_measured_in_a_crowd_is_neither_pass_nor_miss():
    found = [figure("floor", 64, 100.0, others=0.9), figure(BUFFERED, 64, 95.0)]
    assert verdicts(found)[SHARE] == "crowded"


@pytest.mark.parametrize(
    ("model", "connections", "times"),
    [("logistic", 1, 3.5), ("logistic", 64, 10.0), ("forest", 1, 20.0), ("forest", 16, 10.0)],
)
def test_the_best_peer_counts_not_the_slowest(model, connections, times):
    text = f"{BUFFERED}: times the best peer's answers/s at {connections}"
    found = [
        figure(BUFFERED, connections, 100.0 * times),
        figure("peer", connections, 101.0),
        figure("slow", connections, 1.0),
    ]
    assert verdicts(found, ("peer", "slow"), model=model)[text] == "miss"
    assert verdicts(found[::2], ("slow",), model=model)[text] == "pass"


def test_a_durable_answer_may_take_the_floors_p99_and_three_fsyncs():
    text = f"{DURABLE}: p99 ms at 16, within the floor's and 3 fsyncs"
    floor = figure("floor", 16, 100.0, p99_ms=2.0)
    within = [floor, figure(DURABLE, 16, 50.0, p99_ms=5.0)]
    beyond = [floor, figure(DURABLE, 16, 50.0, p99_ms=5.1)]
    assert verdicts(within)[text] == "pass"
    assert verdicts(beyond)[text] == "miss"


@pytest.mark.parametrize("connections", [1, 16, 64])
def test_latency_is_held_against_the_lowest_of_the_peers(connections):
    found = [
        figure(BUFFERED, connections, 1.0, p50_ms=0.4, p99_ms=5.0),
        figure("peer", connections, 1.0, p50_ms=0.5, p99_ms=4.0),
        figure("slow", connections, 1.0, p50_ms=50.0, p99_ms=400.0),
    ]
    judged = verdicts(found, ("peer", "slow"))
    assert judged[f"{BUFFERED}: p50 ms at {connections}, not above the lowest peer's"] == "pass"
    assert judged[f"{BUFFERED}: p99 ms at {connections}, not above the lowest peer's"] == "miss"


def test_there_is_no_best_peer_among_none():
    assert best_of({"floor": figure("floor", 1, 1.0)}, ["peer"]) == ""
