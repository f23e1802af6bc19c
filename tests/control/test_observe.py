"""What one pass sees: every window as if it were looked at alone, and the answers since the promotion read once."""

from dataclasses import replace

import msgspec
import pytest

from setpoint.control.adopting import adopt_first
from setpoint.control.observe import look_now, watch_windows
from setpoint.errors import UsageError
from setpoint.facts.state import LoopState

START = 400


class Counted:
    """Counts the readings of a traffic port."""

    def __init__(self, traffic):
        self.traffic = traffic
        self.asked = []

    def __getattr__(self, name):
        found = getattr(self.traffic, name)

        def call(*given):
            self.asked.append(name)
            return found(*given)

        return call


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return tmp_path_factory.mktemp("store")


@pytest.fixture
def begun(store, make_play, small_contract, small_table):
    """Make a world whose first champion answered 350 rows that nobody looked at yet."""

    def make(task="binary", delay=30):
        contract = small_contract(task, delay=delay)
        play = make_play(store, contract, small_table(800, task=task, change_at=600))
        play.begin(START)
        adopt_first(play.world, contract)
        play.answer(START, START + 350)
        play.go_to(START + 350)
        return play

    return make


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
@pytest.mark.parametrize("delay", [0, 30, 120])
def test_windows_of_one_pass_say_what_each_says_alone(begun, task, delay):
    play = begun(task, delay)
    now = play.clock.now()
    together, watched = watch_windows(play.world, play.contract, play.state, now)
    assert (len(together), watched) == (3, START + 300.0)
    assert together[-1]["performance.coverage"].value > 0.5
    state = play.state
    for number, found in enumerate(together, start=1):
        end = START + 100.0 * number
        (alone,), watched = watch_windows(play.world, play.contract, state, end)
        assert repr(alone) == repr(found)  # every number, to the last digit
        state = msgspec.structs.replace(state, watched=watched)


def test_answers_since_the_promotion_are_read_once_for_all_windows(begun):
    play = begun()
    traffic = Counted(play.history)
    watch_windows(replace(play.world, traffic=traffic), play.contract, play.state, play.clock.now())
    assert traffic.asked == ["reach", "scored", "answers", "answers", "answers"]


def test_pass_without_a_whole_window_reads_no_answers(begun):
    play = begun()
    traffic = Counted(play.history)
    world = replace(play.world, traffic=traffic)
    assert watch_windows(world, play.contract, play.state, START + 99.0) == ((), START + 0.0)
    assert traffic.asked == ["reach"]


def test_a_look_now_is_of_the_last_window_whole_or_not(begun):
    play = begun()
    found = look_now(play.world, play.contract, play.state)
    window = found["drift.share"].window
    assert (window.start, window.end, window.rows) == (START + 250.0, START + 350.0, 100)
    assert (window.version, found["performance.drop"].window.rows) == (1, 100)


def test_a_look_before_the_first_answer_says_so(store, make_play, small_contract, small_table):
    contract = small_contract()
    play = make_play(store, contract, small_table(800))
    play.begin(START)
    with pytest.raises(UsageError, match="setpoint run"):
        look_now(play.world, contract, LoopState(model="small"))
    adopt_first(play.world, contract)
    with pytest.raises(UsageError, match="answered nothing"):
        look_now(play.world, contract, play.state)
