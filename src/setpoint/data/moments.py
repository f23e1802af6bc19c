"""Dates and times as people write them in tables: text or numbers to microseconds since 1970-01-01 UTC.

A text without a zone is UTC. Of two-number days and months, ISO order (year first) is never in doubt; otherwise the
caller says which comes first, or the values themselves do (a 13 cannot be a month).
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

MOMENT = pa.timestamp("us", tz="UTC")
"""Arrow type of every typed datetime column."""

_SHAPE = (
    r"^(?P<a>\d{1,4})[-/.](?P<b>\d{1,2})[-/.](?P<c>\d{1,4})"
    r"(?:[T ]\s*(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2})(?:[.,](?P<part>\d{1,9}))?)?"
    r"(?:\s*(?P<half>[AaPp][Mm]))?\s*(?P<zone>Z|UTC|[+-]\d{2}:?\d{2})?)?$"
)
_YEAR_DIGITS = 4
_MONTHS = 12
_SECOND = 1_000_000  # microseconds
_DAY = 86_400 * _SECOND
# A number is seconds, milliseconds, microseconds or nanoseconds since 1970 by its size: seconds up to 5138.
_UNITS = ((1e11, _SECOND, 1), (1e14, 1_000, 1), (1e17, 1, 1), (np.inf, 1, 1_000))


@dataclass(frozen=True)
class Moments:
    """Parsed moments.

    Args:
        micros: Microseconds since 1970-01-01 UTC, shape (n,); 0 where not `fits`.
        fits: Whether the text is a moment, shape (n,).
        day_first: Whether days were read before months; None where every text had the year first.
        in_doubt: Whether every text could be read either way.
    """

    micros: Ints
    fits: Bools
    day_first: bool | None
    in_doubt: bool


def moments_of_text(texts: pa.Array, *, day_first: bool | None = None) -> Moments:
    """Parse texts such as `2024-01-31`, `31/01/2024 17:05`, `2024-01-31T17:05:09.25+01:00`.

    Args:
        texts: Strings without nulls, shape (n,).
        day_first: Whether 01/02/2024 is the first of February; None lets the values say, and reads
            the month first where they do not.
    """
    fields = pc.extract_regex(pc.utf8_trim_whitespace(texts), _SHAPE)
    fits = pc.is_valid(fields).to_numpy(zero_copy_only=False).copy()
    a, b, c = (_whole(fields, name) for name in "abc")
    year_first = _digits(fields, "a") == _YEAR_DIGITS
    year_last = ~year_first & (_digits(fields, "c") == _YEAR_DIGITS)
    fits &= (year_first | year_last) & (
        _digits(fields, "c") <= np.where(year_first, 2, _YEAR_DIGITS)
    )
    loose = fits & year_last
    must_be_day, must_be_month = loose & (a > _MONTHS), loose & (b > _MONTHS)
    in_doubt = bool(loose.any()) and not must_be_day.any() and not must_be_month.any()
    if day_first is None and loose.any():
        day_first = bool(must_be_day.sum() > must_be_month.sum())
    first, second = np.where(loose, a, 1), np.where(loose, b, 1)
    day = np.where(year_first, c, first if day_first else second)
    month = np.where(year_first, b, second if day_first else first)
    days, real = _days(np.where(year_first, a, c), month, day, fits)
    micros, sane = _clock_micros(fields)
    fits &= real & sane
    return Moments(
        np.where(fits, days * _DAY + micros, 0),
        fits,
        day_first if loose.any() else None,
        in_doubt,
    )


def moments_of_numbers(values: npt.NDArray[np.float64]) -> Moments:
    """Read numbers as time since 1970-01-01 UTC, in the unit that the largest one suggests.

    Args:
        values: Finite numbers, shape (n,).
    """
    largest = float(np.abs(values).max(initial=0.0))
    _, times, over = next(unit for unit in _UNITS if largest < unit[0])
    micros = np.round(values * times / over).astype(np.int64)
    return Moments(micros, np.ones(values.size, dtype=np.bool_), None, in_doubt=False)


def _days(year: Ints, month: Ints, day: Ints, fits: Bools) -> tuple[Ints, Bools]:
    real = fits & (month >= 1) & (month <= _MONTHS) & (day >= 1) & (year >= 1)
    months = np.where(real, (year - 1970) * _MONTHS + month - 1, 0).astype("datetime64[M]")
    length = ((months + 1).astype("datetime64[D]") - months.astype("datetime64[D]")).astype(
        np.int64
    )
    real &= day <= length
    return months.astype("datetime64[D]").astype(np.int64) + np.where(real, day - 1, 0), real


def _clock_micros(fields: pa.Array) -> tuple[Ints, Bools]:
    hour, minute, second = (_whole(fields, name) for name in ("hour", "minute", "second"))
    half = _lower(fields, "half")
    is_half, is_late = half != "", half == "pm"
    sane = (hour < 24) & (minute < 60) & (second <= 60) & (~is_half | ((hour >= 1) & (hour <= 12)))  # noqa: PLR2004 - the clock's numbers
    hour = np.where(is_half, hour % 12 + 12 * is_late, hour)
    part = np.array([int(f"{text:0<6}"[:6]) for text in _text(fields, "part")], dtype=np.int64)
    zone = np.array([_zone_micros(text) for text in _text(fields, "zone")], dtype=np.int64)
    return (hour * 3600 + minute * 60 + second) * _SECOND + part - zone, sane


def _zone_micros(text: str) -> int:
    if not text or text in ("Z", "UTC"):
        return 0
    digits = text[1:].replace(":", "")
    seconds = int(digits[:2]) * 3600 + int(digits[2:]) * 60
    return (-seconds if text[0] == "-" else seconds) * _SECOND


def _field(fields: pa.Array, name: str) -> pa.Array:
    return pc.fill_null(pc.struct_field(fields, name), "")


def _text(fields: pa.Array, name: str) -> list[str]:
    texts: list[str] = _field(fields, name).to_pylist()
    return texts


def _lower(fields: pa.Array, name: str) -> npt.NDArray[Any]:
    return np.array([text.lower() for text in _text(fields, name)], dtype=np.str_)


def _digits(fields: pa.Array, name: str) -> Ints:
    return np.asarray(pc.utf8_length(_field(fields, name)).to_numpy(zero_copy_only=False))


def _whole(fields: pa.Array, name: str) -> Ints:
    texts = _field(fields, name)
    filled = pc.if_else(pc.equal(texts, ""), "0", texts)
    return np.asarray(filled.cast(pa.int64()).to_numpy(zero_copy_only=False))
