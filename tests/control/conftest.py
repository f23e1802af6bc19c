import pytest
from tests.control.power_cuts import START

from setpoint.control.adopting import adopt_first


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """Fits are done once for all tests."""
    return tmp_path_factory.mktemp("store")


@pytest.fixture
def begun(store, make_play, small_contract, small_table):
    """Make a world whose first champion is adopted; the answers turned into their contrary shortly before."""

    def make(task="binary", table=None, **sections):
        contract = small_contract(task, delay=10, retrain={"budget": {"runs": 99, "per": "9 rows"},
                                  "data": "last 200 rows", "when": ["rows.new >= 100"]},
                                  train={"split": {"validation": "0%", "test": "40%"}}, **sections)  # fmt: skip
        given = small_table(800, task=task, change_at=320) if table is None else table
        play = make_play(store, contract, given)
        play.begin(START)
        adopt_first(play.world, contract)
        return play

    return make
