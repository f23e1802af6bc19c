from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from setpoint.contract.cron import Cron
from setpoint.policy.cron import last_until, next_after


def tick(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    ("cron", "after", "expected"),
    [
        ("0 2 * * 1", "2024-01-01 02:00", "2024-01-08 02:00"),  # a Monday; strictly after
        ("0 2 * * 1", "2024-01-01 01:59:59", "2024-01-01 02:00"),
        ("0 2 * * mon", "2024-01-02", "2024-01-08 02:00"),
        ("*/15 * * * *", "2024-02-28 23:46", "2024-02-29 00:00"),
        ("0 0 29 2 *", "2096-03-01", "2104-02-29"),  # 2100 has no leap day
        ("0 0 31 * *", "2024-01-31", "2024-03-31"),
        ("30 8-10/2 * * *", "2024-05-05 08:30", "2024-05-05 10:30"),
        ("5,10 0 1 jan *", "2023-06-01", "2024-01-01 00:05"),
        ("0 0 * * 7", "2024-01-01", "2024-01-07"),  # 7 is Sunday
        ("0 0 13 * 5", "2024-09-01", "2024-09-06"),  # both days given: either is enough
        ("0 0 13 * 5", "2024-09-12 12:00", "2024-09-13"),
        ("50/5 * * * *", "2024-01-01 00:00", "2024-01-01 00:50"),
    ],
)
def test_next_instant(cron: str, after: str, expected: str) -> None:
    assert next_after(Cron.read(cron), tick(after)) == tick(expected)


@pytest.mark.parametrize(
    ("cron", "until", "expected"),
    [
        ("0 2 * * 1", "2024-01-08 02:00", "2024-01-08 02:00"),  # at the instant itself it is due
        ("0 2 * * 1", "2024-01-08 01:59:59", "2024-01-01 02:00"),
        ("0 0 29 2 *", "2104-02-28", "2096-02-29"),
        ("*/15 * * * *", "1970-01-01 00:07", "1970-01-01 00:00"),
    ],
)
def test_last_instant(cron: str, until: str, expected: str) -> None:
    assert last_until(Cron.read(cron), tick(until)) == tick(expected)


def test_day_that_never_comes_is_never_due() -> None:
    never = Cron("0 0 31 2 */2")  # "*/2" does not restrict, so both days must match
    assert next_after(never, 0.0) is None
    assert last_until(never, 4e9) is None


@given(
    st.sampled_from(["0 2 * * 1", "*/7 3 * 2-5 *", "0 0 13 * 5", "59 23 31 12 *", "0 0 29 2 *"]),
    st.floats(0, 4e9),
)
def test_last_and_next_are_neighbours(text: str, now: float) -> None:
    cron = Cron.read(text)
    last, following = last_until(cron, now), next_after(cron, now)
    assert last is not None
    assert following is not None
    assert last <= now < following
    assert next_after(cron, last) == following
    assert last_until(cron, following) == following
