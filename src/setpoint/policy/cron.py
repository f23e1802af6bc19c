"""When a cron schedule runs: instants in UTC, which has no summer time to skip or repeat an hour.

As in every cron since Vixie's: where both days (of month and of week) are restricted, either one is enough; a field
that begins with `*` does not restrict.
"""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

from setpoint.contract.cron import Cron

_SEARCH_DAYS = 366 * 8 + 3  # 29 February is at most eight years away
_WEEK = 7


def last_until(cron: Cron, tick: float) -> float | None:
    """Return the last instant of the schedule at or before `tick`.

    Args:
        cron: The schedule.
        tick: Seconds since 1970-01-01 UTC.

    Returns:
        Seconds since 1970-01-01 UTC; None where there was none in the eight years before.
    """
    instants = [found for found in _nearest_day(cron, tick, step=-1) if found <= tick]
    return max(instants, default=None)


def next_after(cron: Cron, tick: float) -> float | None:
    """Return the first instant of the schedule after `tick`.

    Args:
        cron: The schedule.
        tick: Seconds since 1970-01-01 UTC.

    Returns:
        Seconds since 1970-01-01 UTC; None where there is none in the eight years after.
    """
    instants = [found for found in _nearest_day(cron, tick, step=1) if found > tick]
    return min(instants, default=None)


def _nearest_day(cron: Cron, tick: float, *, step: int) -> list[float]:
    minutes, hours, *_ = cron.fields
    runs_on = _day_rule(cron)
    day = datetime.fromtimestamp(tick, UTC).date()
    for _ in range(_SEARCH_DAYS):
        if runs_on(day):
            start = datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()
            instants = [start + 3600 * hour + 60 * minute for hour in hours for minute in minutes]
            if any((found > tick) if step > 0 else (found <= tick) for found in instants):
                return instants
        day += timedelta(days=step)
    return []


def _day_rule(cron: Cron) -> Callable[[date], bool]:
    _, _, days, months, weekdays = cron.fields
    _, _, day_text, _, weekday_text = cron.split()
    either = not day_text.startswith("*") and not weekday_text.startswith("*")

    def runs_on(day: date) -> bool:
        if day.month not in months:
            return False
        by_date = day.day in days
        by_week = day.isoweekday() % _WEEK in weekdays
        return by_date or by_week if either else by_date and by_week

    return runs_on
