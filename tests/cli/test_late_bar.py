import pytest

from setpoint.cli.late_bar import late_bar
from setpoint.errors import UsageError


def test_wish_that_is_refused_leaves_no_bar_behind(capsys):
    with pytest.raises(UsageError), late_bar("replay", quiet=False):
        raise UsageError("no such row")
    assert capsys.readouterr().err == ""


def test_bar_shows_how_far_it_went_and_what_happened_last(capsys):
    with late_bar("replay", quiet=False) as tell:
        tell(0, 900, "fitting")
        tell(900, 900, "[row 7] promoted")
    told = capsys.readouterr().err
    assert "replay" in told
    assert "900/900 rows" in told
    assert "[row 7] promoted" in told


def test_nothing_is_shown_where_output_is_for_machines(capsys):
    with late_bar("score", quiet=True) as tell:
        tell(1, 2, "")
    assert capsys.readouterr().err == ""
