import pytest

from setpoint.contract.cron import Cron
from setpoint.contract.scalar import ScalarError


@pytest.mark.parametrize(
    "raw",
    [
        "0 * * * *",
        "0 2 * * 1",
        "*/15 0-6 1,15 jan-mar mon-fri",
        "5 4 29 2 *",
        "0 0 31 2 1",
        "10-50/20 * * * sun",
    ],
)
def test_cron_reads_schedules(raw):
    assert Cron.read(raw) == raw


@pytest.mark.parametrize(
    "raw",
    ["", "* * * *", "* * * * * *", "60 * * * *", "* 24 * * *", "* * 0 * *", "* * * 13 *", "* * * * 8", "*/0 * * * *",
     "5-1 * * * *", "a * * * *", "*-5 * * * *", "1,,2 * * * *", "@daily", 5, None],
)  # fmt: skip
def test_cron_refuses_what_is_no_schedule(raw):
    with pytest.raises(ScalarError):
        Cron.read(raw)


@pytest.mark.parametrize("raw", ["0 0 31 2 *", "0 0 31 4,6 *", "0 0 30 feb *"])
def test_cron_refuses_a_day_that_never_comes(raw):
    with pytest.raises(ScalarError, match="never comes"):
        Cron.read(raw)


def test_fields_of_a_schedule():
    minute, hour, day, month, weekday = Cron.read("*/20  2 1-3 JAN,12 5-7").fields
    assert minute == {0, 20, 40}
    assert hour == {2}
    assert day == {1, 2, 3}
    assert month == {1, 12}
    assert weekday == {5, 6, 0}


def test_blanks_and_case_do_not_matter():
    assert Cron.read(" 0  2 * *  MON ") == Cron.read("0 2 * * mon")
