"""The loop of `up` against what goes wrong in a pass: production goes on."""

import socket
import subprocess
import sys
from dataclasses import replace
from types import SimpleNamespace

import pytest

from setpoint.adapters.memory_deployments import MemoryDeployments
from setpoint.control.adopting import adopt_first
from setpoint.errors import JournalError, RegistryError, UsageError
from setpoint.wiring import up
from setpoint.wiring.up import Gateway, UpPlan, look, revived, run_up, tidy


class GoneRegistry:
    def aliases(self, model):
        raise RegistryError(f"{model} cannot be reached")


@pytest.fixture
def live(tmp_path, make_play, small_contract, small_table):
    """A world with a champion, as a loop in the foreground has it; `told` is what people read."""

    def make(**ports):
        play = make_play(tmp_path, small_contract(), small_table(400))
        play.begin(300)
        adopt_first(play.world, play.contract)
        world = replace(play.world, **ports)
        told = []
        plan = UpPlan(play.contract, tmp_path, SimpleNamespace(store=tmp_path), told=told.append)
        return plan, SimpleNamespace(world=world), told

    return make


def test_document_that_a_death_left_behind_is_published_though_the_pass_fails(live):
    plan, loop, told = live(deployments=MemoryDeployments(), registry=GoneRegistry())
    assert look(plan, loop) == []
    state, _ = loop.world.journal.load()
    assert loop.world.deployments.current() == state.deployment
    assert state.deployment is not None
    assert told == ["this pass failed, the next one tries again: small cannot be reached"]


def test_defect_in_a_pass_is_told_and_does_not_end_the_loop(live, capsys):
    plan, loop, told = live(rows=lambda: {}["defect"])
    assert look(plan, loop) == []
    assert told == ["this pass failed by a defect of Setpoint's: KeyError: 'defect'"]
    assert "Traceback" in capsys.readouterr().err


def test_a_pass_moves_one_hour_of_answers_and_a_failure_to_is_told(live):
    plan, loop, told = live()
    asked = []

    def compact(now, *, most):
        asked.append((now, most))
        if len(asked) > 1:
            raise JournalError("the disk is full")

    loop.log = SimpleNamespace(compact=compact)
    loop.shadows = lambda: None
    tidy(plan, loop)
    assert (asked, told) == ([(loop.world.clock.wall(), 1)], [])
    tidy(plan, loop)
    assert told == ["answers stay where they are, the next pass tries again: the disk is full"]


def test_gateway_that_cannot_be_started_again_is_tried_at_the_next_pass(live, monkeypatch):
    plan, _, told = live()
    with subprocess.Popen([sys.executable, "-c", ""], stdout=subprocess.PIPE, text=True) as ended:
        ended.wait()
        gone = Gateway(ended, "http://127.0.0.1:1")
        new = Gateway(SimpleNamespace(poll=lambda: None), "http://127.0.0.1:2")
        starts = [UsageError("the port is taken"), new]

        def start(*_, **__):
            found = starts.pop(0)
            if isinstance(found, Exception):
                raise found
            return found

        monkeypatch.setattr(up, "start_gateway", start)
        assert revived(plan, gone) is gone
        assert revived(plan, gone) is new
        assert ended.stdout.closed
    assert revived(plan, new) is new
    assert told == [
        "the gateway ended with code 0; it is started again",
        "the next pass tries again: the port is taken",
        "the gateway ended with code 0; it is started again",
        "the gateway listens on http://127.0.0.1:2",
    ]


def test_port_that_is_taken_is_told_before_anything_is_done(live):
    plan, _, told = live()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(
            UsageError, match=f"cannot listen on 127.0.0.1:{port}: Address already in use"
        ):
            run_up(replace(plan, port=port))
    assert told == []
