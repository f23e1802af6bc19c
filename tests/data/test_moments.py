from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from setpoint.data.moments import moments_of_numbers, moments_of_text


def micros(*args: int) -> int:
    moment = datetime(*args, tzinfo=UTC)
    return int((moment - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds()) * 10**6


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2024-01-31", micros(2024, 1, 31)),
        ("2024-01-31T17:05:09", micros(2024, 1, 31, 17, 5, 9)),
        ("2024-01-31 17:05:09.25+01:00", micros(2024, 1, 31, 16, 5, 9) + 250_000),
        ("2024-01-31T17:05Z", micros(2024, 1, 31, 17, 5)),
        ("31/01/2024", micros(2024, 1, 31)),
        ("31.1.2024 08:00", micros(2024, 1, 31, 8)),
        ("1/31/2024 11:30 PM", micros(2024, 1, 31, 23, 30)),
        ("1/31/2024 12:05 am", micros(2024, 1, 31, 0, 5)),
        ("1969-12-31", -86_400 * 10**6),
        ("2024/2/29", micros(2024, 2, 29)),
    ],
)
def test_a_text_is_the_moment_that_people_mean(text, expected):
    found = moments_of_text(pa.array([text]))
    assert found.fits.all()
    assert found.micros.tolist() == [expected]


@pytest.mark.parametrize(
    "text",
    [
        "2023-02-29",
        "32/01/2024",
        "2024-13-01",
        "31/31/2024",
        "2024-01-31T24:00",
        "12",
        "3.14",
        "01-02-03",
        "soon",
        "2024-01-31 10:61",
        "1/2/2024 13:00 pm",
        "2024-01-31 tomorrow",
    ],
)
def test_what_is_no_moment_does_not_fit(text):
    assert not moments_of_text(pa.array([text])).fits.any()


def test_one_value_over_twelve_settles_all():
    found = moments_of_text(pa.array(["01/02/2024", "13/02/2024"]))
    assert found.day_first
    assert not found.in_doubt
    assert found.micros[0] == micros(2024, 2, 1)


def test_values_that_could_be_either_are_in_doubt_and_the_caller_decides():
    texts = pa.array(["01/02/2024", "03/04/2024"])
    assert moments_of_text(texts).in_doubt
    assert moments_of_text(texts, day_first=True).micros[0] == micros(2024, 2, 1)
    assert moments_of_text(texts, day_first=False).micros[0] == micros(2024, 1, 2)


def test_a_stated_order_that_a_value_contradicts_does_not_fit():
    assert moments_of_text(pa.array(["13/02/2024"]), day_first=False).fits.tolist() == [False]


@pytest.mark.parametrize("scale", [1, 10**3, 10**6, 10**9])
def test_numbers_are_read_in_the_unit_that_their_size_suggests(scale):
    found = moments_of_numbers(np.array([1_400_269_500.0 * scale]))
    assert found.micros.tolist() == [1_400_269_500 * 10**6]


FIRST, LAST = (datetime(year, 1, 1, tzinfo=UTC).replace(tzinfo=None) for year in (1, 9999))


@given(st.datetimes(min_value=FIRST, max_value=LAST, timezones=st.just(UTC)))
def test_iso_text_reads_back(moment):
    found = moments_of_text(pa.array([moment.isoformat()]))
    expected = (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
    assert found.micros.tolist() == [expected]
