import pytest

from setpoint.facts.decision import Action
from setpoint.facts.verdict import Ruling
from setpoint.reports.wording import (
    ACTIONS,
    SYMBOLS,
    UNKNOWN,
    say_change,
    say_count,
    say_interval,
    say_limit,
    say_number,
    say_plain,
    say_reason,
    say_when,
)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, UNKNOWN),
        (float("nan"), UNKNOWN),
        (float("inf"), UNKNOWN),
        (0.0, "0"),
        (0.78123, "0.7812"),
        (12345, "12,345"),
        (12345.6, "12,346"),
        (2000.0, "2,000"),
        (0.00001234, "1.2e-05"),
        (-0.5, "\N{MINUS SIGN}0.5"),
        (-0.00001234, "\N{MINUS SIGN}1.2e-05"),
    ],
)
def test_a_number_reads_as_people_write_it(value, text):
    assert say_number(value) == text


def test_what_is_not_known_is_never_shown_as_zero():
    assert say_number(None) == say_change(None) == say_plain(None) == UNKNOWN
    assert say_interval(None) == ""
    assert say_limit(None) == ""


def test_a_change_shows_its_sign_and_none_where_it_rounds_to_nothing():
    assert say_change(0.0123) == "+0.0123"
    assert say_change(-0.0123) == "\N{MINUS SIGN}0.0123"
    assert say_change(-0.00001) == "0"


def test_reasons_get_the_same_minus_as_numbers_and_dates_stay():
    said = say_reason("gain -0.55 (-0.1 to +0.4) on 2024-01-31, brier-skill a-3")
    minus = "\N{MINUS SIGN}"
    assert said == f"gain {minus}0.55 ({minus}0.1 to +0.4) on 2024-01-31, brier-skill a-3"


def test_limits_of_each_kind_are_said():
    assert say_limit(0.8) == "0.8"
    assert say_limit((0.8, 1.25)) == "0.8 to 1.25"
    assert say_limit("better") == "better"


def test_counts_agree_with_their_noun():
    assert [say_count(n, "batch", "batches") for n in (0, 1, 2000)] == [
        "no batches",
        "1 batch",
        "2,000 batches",
    ]


def test_plain_values_of_any_shape_are_said():
    assert (
        say_plain({"k": 2, "is_first": True, "pair": [0.5, None]})
        == f"k 2, is_first yes, pair 0.5, {UNKNOWN}"
    )


def test_midnight_is_a_day_and_rows_are_rows():
    assert say_when(1_672_531_200.0, "time") == "2023-01-01"
    assert say_when(1_672_534_800.0, "time") == "2023-01-01 01:00"
    assert say_when(4000.0, "rows") == "row 4,000"


def test_every_ruling_and_action_has_its_own_symbol_so_that_colour_is_never_alone():
    assert set(SYMBOLS) == set(Ruling.__args__)
    assert set(ACTIONS) == set(Action.__args__)
    assert len(set(SYMBOLS.values())) == len(SYMBOLS)
