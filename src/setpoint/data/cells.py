"""One column of cells to one type: numbers, flags, moments or text; what does not fit is marked, never guessed."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from setpoint.contract.data import ColumnType, Format
from setpoint.data.moments import MOMENT, moments_of_numbers, moments_of_text

Bools = npt.NDArray[np.bool_]

WHOLE = r"^[+-]?\d+(?:\.0*)?$"
NUMBER = r"^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{1,3})?$"
NOT_A_NUMBER = r"(?i)^nan$"
_TRUE = ("true", "t", "yes", "y", "1")
_FALSE = ("false", "f", "no", "n", "0")
_WHOLE_LIMIT = 2.0**63
_WHOLE_DIGITS = r"^-?\d{1,18}$"
_ROUND_LIMIT = 2.0**53

ARROW: dict[ColumnType, pa.DataType] = {
    "int": pa.int64(),
    "float": pa.float64(),
    "bool": pa.bool_(),
    "datetime": MOMENT,
    "category": pa.string(),
    "text": pa.string(),
}
"""Arrow type of each contract type once typed."""


@dataclass(frozen=True)
class Cells:
    """A typed column.

    Args:
        values: Typed values, shape (n,); cells that do not fit are null.
        bad: Cells that held something else, shape (n,).
        in_doubt: For moments: day and month could be the other way round.
    """

    values: pa.Array
    bad: Bools
    in_doubt: bool = False


def is_text(kind: pa.DataType) -> bool:
    """Return whether an Arrow type holds text, plain or as a dictionary."""
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    return bool(
        pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind)
    )


def is_number(kind: pa.DataType) -> bool:
    """Return whether an Arrow type holds numbers."""
    return bool(
        pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)
    )


def flat(column: pa.ChunkedArray) -> pa.Array:
    """Return a column as one array, with dictionaries written out."""
    array = column.combine_chunks()
    if isinstance(array, pa.ChunkedArray):
        array = pa.concat_arrays(array.chunks) if array.num_chunks else pa.array([], array.type)
    return array.cast(array.type.value_type) if pa.types.is_dictionary(array.type) else array


def trimmed(array: pa.Array, nulls: tuple[str, ...] | None) -> pa.Array:
    """Return texts without outer blanks; empty ones, and those that mean a missing value, are null."""
    texts = pc.utf8_trim_whitespace(array.cast(pa.string()))
    tokens = pa.array(["", *(token.strip() for token in nulls or ())], pa.string())
    return pc.if_else(pc.is_in(texts, value_set=tokens), pa.scalar(None, pa.string()), texts)


def type_cells(column: pa.ChunkedArray, wanted: ColumnType, form: Format) -> Cells:
    """Return the cells of a column as `wanted`.

    Args:
        column: Text as a file holds it, or values of any Arrow type.
        wanted: Type of the contract.
        form: How text is written: tokens of missing values, decimal sign, order of day and month.
    """
    array = flat(column)
    if pa.types.is_null(array.type):
        return Cells(pa.nulls(len(array), ARROW[wanted]), np.zeros(len(array), dtype=np.bool_))
    if pa.types.is_nested(array.type):
        return Cells(pa.nulls(len(array), ARROW[wanted]), ~_is_null(array))
    if is_text(array.type):
        array = trimmed(array, form.nulls)
    if wanted in ("int", "float"):
        return _numbers(array, form.decimal or ".", is_whole=wanted == "int")
    if wanted == "bool":
        return _flags(array)
    if wanted == "datetime":
        return _moments(array, form)
    return Cells(as_text(array), np.zeros(len(array), dtype=np.bool_))


def as_text(array: pa.Array) -> pa.Array:
    """Return values as the text that names them: 1 and 1.0 are `1`, true is `true`."""
    if pa.types.is_floating(array.type):
        values = pc.if_else(pc.is_nan(array), pa.scalar(None, array.type), array)
        numbers = values.cast(pa.float64()).to_numpy(zero_copy_only=False)
        with np.errstate(invalid="ignore"):
            whole = (numbers == np.floor(numbers)) & (np.abs(numbers) < _ROUND_LIMIT)
        texts = pa.array(np.where(whole, numbers, 0.0).astype(np.int64)).cast(pa.string())
        return (
            texts if whole.all() else pc.if_else(pa.array(whole), texts, values.cast(pa.string()))
        )
    if pa.types.is_timestamp(array.type):
        return pc.strftime(array, format="%Y-%m-%dT%H:%M:%S")
    return array.cast(pa.string())


def _is_null(array: pa.Array) -> Bools:
    return np.asarray(pc.is_null(array).to_numpy(zero_copy_only=False))


def _numbers(array: pa.Array, decimal: str, *, is_whole: bool) -> Cells:
    if pa.types.is_integer(array.type) and is_whole:
        if not pa.types.is_uint64(array.type):
            return Cells(array.cast(pa.int64()), np.zeros(len(array), dtype=np.bool_))
        array = array.cast(pa.float64(), safe=False)
    missing = _is_null(array)
    if is_text(array.type):
        return _numbers_of_text(array, decimal, is_whole=is_whole)
    if not (is_number(array.type) or pa.types.is_boolean(array.type)):
        return Cells(pa.nulls(len(array), ARROW["int" if is_whole else "float"]), ~missing)
    values = pc.fill_null(array.cast(pa.float64(), safe=False), np.nan).to_numpy(
        zero_copy_only=False
    )
    return _checked_numbers(values, missing | np.isnan(values), is_whole=is_whole)


def _numbers_of_text(texts: pa.Array, decimal: str, *, is_whole: bool) -> Cells:
    if decimal == ",":
        texts = pc.replace_substring(pc.replace_substring(texts, ".", ""), ",", ".")
    absent = pc.fill_null(pc.match_substring_regex(texts, NOT_A_NUMBER), fill_value=True)
    shape = pc.fill_null(pc.match_substring_regex(texts, NUMBER), fill_value=False)
    kept = pc.if_else(shape, texts, pa.scalar(None, pa.string()))
    plain = pc.utf8_ltrim(kept, characters="+")
    values = pc.fill_null(plain.cast(pa.float64()), np.nan).to_numpy(zero_copy_only=False)
    missing = np.asarray(absent.to_numpy(zero_copy_only=False))
    cells = _checked_numbers(values, missing, is_whole=is_whole)
    return _with_exact(cells, plain) if is_whole else cells


def _with_exact(cells: Cells, texts: pa.Array) -> Cells:
    """Return whole numbers as their digits say, beyond what a float holds."""
    digits = pc.replace_substring_regex(texts, r"\.0*$", "")
    known = pc.fill_null(pc.match_substring_regex(digits, _WHOLE_DIGITS), fill_value=False)
    exact = pc.if_else(known, digits, pa.scalar(None, pa.string())).cast(pa.int64())
    return Cells(pc.coalesce(exact, cells.values), cells.bad)


def _checked_numbers(values: npt.NDArray[np.float64], missing: Bools, *, is_whole: bool) -> Cells:
    fits = np.isfinite(values)
    if is_whole:
        with np.errstate(invalid="ignore"):
            fits &= (values == np.floor(values)) & (np.abs(values) < _WHOLE_LIMIT)
    bad = ~missing & ~fits
    if is_whole:
        whole = np.where(fits, values, 0.0).astype(np.int64)
        return Cells(pa.array(whole, mask=~fits), bad)
    return Cells(pa.array(np.where(fits, values, 0.0), mask=~fits), bad)


def _flags(array: pa.Array) -> Cells:
    if pa.types.is_boolean(array.type):
        return Cells(array, np.zeros(len(array), dtype=np.bool_))
    missing = _is_null(array)
    if pa.types.is_floating(array.type):
        missing |= np.isnan(array.cast(pa.float64()).to_numpy(zero_copy_only=False))
    texts = pc.utf8_lower(as_text(array))
    is_true = pc.fill_null(pc.is_in(texts, value_set=pa.array(_TRUE)), fill_value=False)
    is_false = pc.fill_null(pc.is_in(texts, value_set=pa.array(_FALSE)), fill_value=False)
    known = np.asarray(pc.or_(is_true, is_false).to_numpy(zero_copy_only=False))
    return Cells(
        pa.array(np.asarray(is_true.to_numpy(zero_copy_only=False)), mask=~known), ~known & ~missing
    )


def _moments(array: pa.Array, form: Format) -> Cells:
    missing = _is_null(array)
    if pa.types.is_timestamp(array.type) or pa.types.is_date(array.type):
        stamped = array.cast(pa.timestamp("us", tz=getattr(array.type, "tz", None)), safe=False)
        if stamped.type.tz is None:
            return Cells(pc.assume_timezone(stamped, "UTC"), np.zeros(len(array), dtype=np.bool_))
        return Cells(stamped.cast(MOMENT), np.zeros(len(array), dtype=np.bool_))
    if is_text(array.type):
        numbers = _numbers_of_text(array, ".", is_whole=False)
        if numbers.bad.any():
            return _moments_of_text(array, missing, day_first=form.dayfirst)
        values, bad = numbers.values, numbers.bad
    elif is_number(array.type):
        numbers = _numbers(array, ".", is_whole=False)
        values, bad = numbers.values, numbers.bad
    else:
        return Cells(pa.nulls(len(array), MOMENT), ~missing)
    absent = _is_null(values)
    found = moments_of_numbers(pc.fill_null(values, 0.0).to_numpy(zero_copy_only=False))
    return Cells(_stamp(found.micros, absent), bad)


def _moments_of_text(array: pa.Array, missing: Bools, *, day_first: bool | None) -> Cells:
    encoded = array.dictionary_encode()
    found = moments_of_text(encoded.dictionary, day_first=day_first)
    codes = pc.fill_null(encoded.indices.cast(pa.int64()), 0).to_numpy(zero_copy_only=False)
    if not len(encoded.dictionary):
        return Cells(pa.nulls(len(array), MOMENT), np.zeros(len(array), dtype=np.bool_))
    fits = found.fits[codes] & ~missing
    return Cells(_stamp(found.micros[codes], ~fits), ~fits & ~missing, found.in_doubt)


def _stamp(micros: npt.NDArray[np.int64], absent: Bools) -> pa.Array:
    stamps: Any = pa.array(micros, mask=absent)
    return stamps.cast(MOMENT)
