"""Progress of work on rows: on a terminal, and only when work has begun."""

import io
import re

from rich.console import Console

from setpoint.cli.rows_bar import rows_bar


def shown(told, *, terminal=True, quiet=False):
    screen = io.StringIO()
    console = Console(file=screen, force_terminal=terminal, width=120)
    with rows_bar("score", quiet=quiet, console=console) as tell:
        for one in told:
            tell(*one)
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", screen.getvalue())


def test_a_terminal_sees_rows_speed_share_and_time():
    text = shown([(0, 0.0), (20_000, 0.25), (40_000, 0.5)])
    assert "40,000 rows" in text
    assert "50%" in text
    assert "rows/s" in text
    assert "left" in text


def test_what_is_no_terminal_sees_nothing():
    assert shown([(0, 0.0), (10, 1.0)], terminal=False) == ""


def test_output_for_machines_has_no_bar():
    assert shown([(0, 0.0), (10, 1.0)], quiet=True) == ""


def test_a_wish_that_is_refused_leaves_no_bar():
    assert shown([]) == ""
