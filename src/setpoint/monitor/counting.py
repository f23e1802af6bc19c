"""A window's rows counted in the cells of the reference: once, for every detector that needs them."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from setpoint.facts.evidence import Floats, Ints
from setpoint.facts.profile import ColumnProfile, Profile
from setpoint.facts.verdict import Ruling
from setpoint.stats.binning import CategoryBins, NumericBins

PREDICTION = "prediction"
"""Name of the profile's column that stands for the answers."""

_NAMED = 3  # unseen values that are named
_LONGEST = 40  # characters of one


@dataclass(frozen=True)
class Counted:
    """One column of a window in the cells of its reference.

    Args:
        profile: The reference.
        counts: Rows in each cell, shape (cells,); None where they could not be counted.
        values: Numeric: the values, NaN where missing, shape (n,). Else None.
        unseen: Category: values that the reference does not know, most frequent first, at most three.
        problem: Why the column could not be counted, or empty.
        is_withheld: Whether that is by the contract's own wish.
    """

    profile: ColumnProfile
    counts: Ints | None = None
    values: Floats | None = None
    unseen: tuple[str, ...] = ()
    problem: str = ""
    is_withheld: bool = False

    @property
    def ruling(self) -> Ruling:
        """The verdict on what could not be counted."""
        return "inconclusive" if self.is_withheld else "error"

    @property
    def rows(self) -> int:
        """Rows of the window, n."""
        return 0 if self.counts is None else int(self.counts.sum())

    @property
    def labels(self) -> tuple[str, ...]:
        """Names of the cells, in the order of the counts."""
        if self.profile.kind == "numeric":
            return NumericBins(self.profile.edges).labels
        return _category_bins(self.profile).labels

    @property
    def missing(self) -> int:
        """Rows without a value."""
        return 0 if self.counts is None else int(self.counts[-1])


def count_columns(
    profile: Profile, table: pa.Table, withheld: Mapping[str, str] = MappingProxyType({})
) -> tuple[Counted, ...]:
    """Return every column of the reference, counted in the window; the column `prediction` is left out.

    Args:
        profile: The reference.
        table: The window's rows.
        withheld: Columns that the log has not as they were: what was done to each, by name.
    """
    return tuple(
        _withheld(column, withheld[column.name])
        if column.name in withheld
        else count_column(column, table)
        for column in profile.columns
        if column.name != PREDICTION
    )


def count_column(profile: ColumnProfile, table: pa.Table) -> Counted:
    """Return one column of a table, counted; a column that cannot be says why."""
    if profile.n == 0 or not profile.shares:
        return Counted(profile, problem="the reference has no rows")
    place = table.schema.get_all_field_indices(profile.name)
    if len(place) != 1:
        return Counted(profile, problem=f"the window has {len(place)} columns of this name, not 1")
    column = table.column(place[0])
    try:
        if profile.kind == "numeric":
            return count_numbers(profile, numbers_of(column))
        return _count_texts(profile, column.cast(pa.string()))
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        return Counted(
            profile, problem=f"the reference is {profile.kind}, the window is not: {error}"
        )


def _withheld(profile: ColumnProfile, rule: str) -> Counted:
    if rule == "drop":
        reason = "not logged: the contract says log: drop"
    else:
        reason = f"not logged as it was: the contract says log: {rule}"
    return Counted(profile, problem=reason, is_withheld=True)


def count_numbers(profile: ColumnProfile, values: Floats) -> Counted:
    """Return numbers, NaN where missing, counted in the cells of a numeric reference; shape (n,)."""
    return Counted(profile, NumericBins(profile.edges).counts(values), values)


def numbers_of(column: pa.ChunkedArray) -> Floats:
    """Return a column as floats, NaN where missing; moments in seconds since 1970.

    Raises:
        ArrowInvalid: The column holds no numbers.
        ArrowNotImplementedError: Its type cannot be numbers.
    """
    if pa.types.is_timestamp(column.type):
        column = pc.divide(column.cast(pa.timestamp("us")).cast(pa.int64()).cast(pa.float64()), 1e6)
    if not pa.types.is_float64(column.type):
        column = column.cast(pa.float64())
    if column.null_count:
        column = pc.fill_null(column, np.nan)
    values: npt.NDArray[np.float64] = column.to_numpy()
    return values


def _count_texts(profile: ColumnProfile, column: pa.ChunkedArray) -> Counted:
    encoded = column.combine_chunks().dictionary_encode()
    distinct = encoded.dictionary.to_pylist()
    codes = pc.fill_null(encoded.indices.cast(pa.int64()), len(distinct)).to_numpy(
        zero_copy_only=False
    )
    tally = np.bincount(codes, minlength=len(distinct) + 1)
    counts = _category_bins(profile).counts_of_dictionary([*distinct, None], tally)
    return Counted(profile, counts, unseen=_unseen(profile, distinct, tally, counts))


def _unseen(
    profile: ColumnProfile, distinct: list[str], tally: Ints, counts: Ints
) -> tuple[str, ...]:
    if not counts[-2]:
        return ()
    known = set(profile.known)
    new = sorted(
        (-int(times), value)
        for value, times in zip(distinct, tally, strict=False)
        if value not in known
    )
    return tuple(value[:_LONGEST] for _, value in new[:_NAMED])


def _category_bins(profile: ColumnProfile) -> CategoryBins:
    return _bins_of(profile.values, profile.known)


@lru_cache(maxsize=1024)  # a reference serves thousands of windows
def _bins_of(values: tuple[str, ...], known: tuple[str, ...]) -> CategoryBins:
    # A profile that knows no values though it has some had too many to keep: nothing is unseen then.
    is_open = bool(values) and not known
    return CategoryBins(values, None if is_open else frozenset(known) - frozenset(values))
