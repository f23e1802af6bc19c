import pytest

from setpoint.errors import UsageError
from setpoint.wiring.demo import DemoPlan, learn


def plan(folder):
    return DemoPlan(folder, lambda *_: None)


def test_demo_never_removes_a_folder_that_is_not_its_own(tmp_path):
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(UsageError, match="no earlier demo"):
        learn(plan(tmp_path))
    assert (tmp_path / "thesis.txt").read_text() == "years of work"


def test_demo_is_made_anew_where_an_earlier_one_was(tmp_path):
    folder = tmp_path / "demo"
    first = learn(plan(folder))
    (folder / "old.html").write_text("")
    assert learn(plan(folder)).equals(first)
    assert not (folder / "old.html").exists()
    assert (folder / "drafted" / "model_contract.yaml").is_file()
