import json
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from setpoint.contract.scalar import ScalarError
from setpoint.contract.shares import Change, Points, Share, plain_decimal


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        ("5%", 0.05),
        (0.05, 0.05),
        ("99.9%", 0.999),
        ("100%", 1.0),
        (0, 0.0),
        (1, 1.0),
        (" .5 %", 0.005),
    ],
)
def test_share_reads_percent_and_fraction_alike(raw, value):
    assert Share.read(raw) == value


@pytest.mark.parametrize(
    "raw", ["5", "0.05", "5 %%", "-5%", "150%", 5, -0.1, True, None, [], "", "%", "nan%"]
)
def test_share_refuses_what_is_no_share(raw):
    with pytest.raises(ScalarError):
        Share.read(raw)


def test_share_refuses_numbers_that_are_not_finite():
    for raw in (float("nan"), float("inf")):
        with pytest.raises(ScalarError):
            Share.read(raw)


def test_share_is_a_number_and_pickles():
    share = Share(0.05)
    assert share * 2 == 0.1
    assert json.dumps(share) == "0.05"
    assert f"{share:.3f}" == "0.050"
    again = pickle.loads(pickle.dumps(share))  # noqa: S301 - our own bytes
    assert again == share
    assert str(again) == "5%"


@given(st.floats(0, 1))
def test_share_text_reads_back_exactly(value):
    assert Share.read(str(Share(value))) == value


@given(st.floats(0, 1))
def test_points_text_reads_back_exactly(value):
    assert Points.read(str(Points(value))) == value


@pytest.mark.parametrize("raw", ["25", 0.25, "25%", "101 points", "points", None])
def test_points_need_their_word(raw):
    with pytest.raises(ScalarError):
        Points.read(raw)


def test_25_points_are_a_quarter():
    assert Points.read("25 points") == 0.25
    assert str(Points.read("1 point")) == "1 points"


@pytest.mark.parametrize("raw", [0.02, 2, "0.02", "2", 0])
def test_change_refuses_a_bare_number_and_says_both_ways(raw):
    with pytest.raises(ScalarError) as caught:
        Change.read(raw)
    assert "%" in caught.value.allowed
    assert "abs" in caught.value.allowed


def test_change_names_the_number_in_both_ways():
    with pytest.raises(ScalarError, match=r"2% \(relative\) or 0\.02 abs \(absolute\)"):
        Change.read(0.02)
    with pytest.raises(ScalarError, match=r"5% \(relative\) or 5 abs"):
        Change.read(5)


@pytest.mark.parametrize(
    "raw", ["", "abs", "5% abs", "-5%", "-0.1 abs", "5abs", True, None, {}, "1e999 abs"]
)
def test_change_refuses_what_is_no_change(raw):
    with pytest.raises(ScalarError):
        Change.read(raw)


def test_change_of_a_value():
    relative, absolute = Change.read("5%"), Change.read("0.05 abs")
    assert relative == Change(0.05, relative=True)
    assert absolute == Change(0.05, relative=False)
    assert relative != absolute
    assert relative.of(0.8) == pytest.approx(0.04)
    assert relative.of(-0.8) == pytest.approx(0.04)
    assert absolute.of(0.8) == 0.05
    assert relative.moved(0.8, "higher") == pytest.approx(0.84)
    assert absolute.moved(0.8, "lower") == pytest.approx(0.75)


@given(st.floats(0, 1e12), st.booleans())
def test_change_text_reads_back_exactly(value, relative):
    change = Change(value, relative=relative)
    assert Change.read(str(change)) == change


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_plain_decimals_read_back_and_have_no_exponent(value):
    text = plain_decimal(value)
    assert float(text) == value
    assert "e" not in text.lower()
