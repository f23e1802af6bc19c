"""Medians over turns, and what a server must answer before it is timed."""

import json

import pytest
from benchmarks.serving import turns
from benchmarks.serving.load import Load
from benchmarks.serving.server import DeadServerError, Server
from benchmarks.serving.turns import Run, figures, verify


def run(server, connections, requests, *, errors=0, p99_ms=1.0, others=0.0):
    load = Load(requests, 2.0, 0.5, p99_ms, errors)
    return Run(server, 0, connections, load, cpu_us=10.0, others=others)


def test_one_noisy_turn_does_not_move_the_figure():
    (found,) = figures([run("a", 1, 1000), run("a", 1, 10, p99_ms=80.0), run("a", 1, 1020)])
    assert (found.rate, found.low, found.high, found.runs) == (500.0, 5.0, 510.0, 3)
    assert found.p99_ms == 1.0


def test_errors_of_all_turns_are_shown():
    (found,) = figures([run("a", 1, 1000, errors=2), run("a", 1, 1000), run("a", 1, 1000)])
    assert found.errors == 2


def test_servers_and_connections_are_not_mixed():
    found = figures([run("a", 1, 10), run("b", 1, 20), run("a", 64, 30)])
    assert [(one.server, one.connections, one.rate) for one in found] == [
        ("a", 1, 5.0),
        ("b", 1, 10.0),
        ("a", 64, 15.0),
    ]


def answering(monkeypatch, content):
    monkeypatch.setattr(turns, "ask", lambda _server: content)
    return Server("peer", (), "", b"", read=lambda body: json.loads(body)["probability"])


def test_a_server_with_the_native_answer_is_timed(monkeypatch):
    verify(answering(monkeypatch, b'{"probability": 0.50001}'), 0.5)


def test_a_server_that_answers_something_else_is_not_timed(monkeypatch):
    with pytest.raises(DeadServerError, match=r"native model 0\.5"):
        verify(answering(monkeypatch, b'{"probability": 0.6}'), 0.5)


def test_a_server_that_answers_an_error_is_not_timed(monkeypatch):
    with pytest.raises(DeadServerError, match="no such row"):
        verify(answering(monkeypatch, b'{"detail": "no such row"}'), 0.5)
