"""Reference bins: the fixed cells in which a column's reference and its windows are counted.

Invariants:
- Bins come from the reference alone; a window is only counted in them.
- Every value falls in exactly one cell, so counts add up to the number of rows.
- The cells that the reference cannot fill (below, above, unseen) exist from the start.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from setpoint.errors import TooFewSamplesError

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    from numpy.typing import ArrayLike, NDArray

MISSING_TYPES = frozenset({"NAType", "NaTType"})  # pandas' own nothings, known by name only
CHUNK = 1 << 15  # values counted at a time: 256 kB, so that twelve passes stay in cache


@dataclass(frozen=True)
class NumericBins:
    """Cells of a numeric column: K inner bins, then below, above and missing.

    Inner bin i holds `edges[i] <= x < edges[i + 1]`; the last one includes its upper edge. An
    infinite value is below or above; NaN and None are missing.

    Attributes:
        edges: K + 1 finite numbers in order; only the last two may be equal (a bin for one value).

    Example:
        >>> bins = NumericBins((0.0, 1.0, 2.0))
        >>> bins.counts([0.0, 0.5, 2.0, 2.1, float("-inf"), None]).tolist()
        [2, 1, 1, 1, 1]
    """

    edges: tuple[float, ...]

    @property
    def labels(self) -> tuple[str, ...]:
        """Names of the cells, in the order of the counts."""
        pairs = zip(self.edges, self.edges[1:], strict=False)
        inner = [f"[{low:.6g}, {high:.6g})" for low, high in pairs]
        inner[-1] = inner[-1][:-1] + "]"
        return (*inner, "below", "above", "missing")

    def counts(self, column: ArrayLike) -> NDArray[np.int64]:
        """Count a column in the cells.

        Counting the values under each edge needs no sort and no search; it is several times faster
        than finding each value's bin.

        Args:
            column: Values, shape (n,); anything that converts to float; None and NaN are missing.

        Returns:
            Counts, shape (K + 3,), whose sum is n.
        """
        values = np.asarray(column).astype(np.float64, copy=False)
        edges = np.asarray(self.edges, dtype=np.float64)
        under = np.zeros(edges.size, dtype=np.int64)
        missing = 0
        for start in range(0, values.size, CHUNK):
            chunk = values[start : start + CHUNK]
            for i, edge in enumerate(edges[:-1]):
                under[i] += np.count_nonzero(chunk < edge)
            under[-1] += np.count_nonzero(chunk <= edges[-1])
            missing += int(np.count_nonzero(np.isnan(chunk)))
        above = values.size - missing - under[-1]
        return np.concatenate([np.diff(under), [under[0], above, missing]])

    def codes(self, column: ArrayLike) -> NDArray[np.int64]:
        """Return the cell of each value, shape (n,): an index into the counts."""
        values = np.asarray(column).astype(np.float64, copy=False)
        edges = np.asarray(self.edges, dtype=np.float64)
        inner = edges.size - 1
        cell = np.searchsorted(edges[:-1], values, side="right") - 1
        cell[cell < 0] = inner
        cell[values > edges[-1]] = inner + 1
        cell[np.isnan(values)] = inner + 2
        return cell.astype(np.int64, copy=False)


@dataclass(frozen=True)
class CategoryBins:
    """Cells of a categorical column: one for each value, then other, unseen and missing.

    Attributes:
        values: The reference's most frequent values, most frequent first.
        others: Its remaining values; None when they were too many to keep. Then nothing can be
            called unseen, and whatever is not in `values` is other.

    Example:
        >>> bins = CategoryBins(("a", "b"), others=frozenset({"c"}))
        >>> bins.counts(["a", "a", "b", "c", "new", None]).tolist()
        [2, 1, 1, 1, 1]
    """

    values: tuple[Hashable, ...]
    others: frozenset[Hashable] | None = frozenset()

    @property
    def labels(self) -> tuple[str, ...]:
        """Names of the cells, in the order of the counts."""
        return (*(str(value) for value in self.values), "other", "unseen", "missing")

    def counts(self, column: Sequence[Any] | NDArray[Any]) -> NDArray[np.int64]:
        """Count a column in the cells.

        Args:
            column: Values, shape (n,); None, NaN and pandas' NA are missing.

        Returns:
            Counts, shape (len(values) + 3,), whose sum is n.
        """
        tally = Counter(_python_values(column))
        return self.counts_of_dictionary(list(tally), np.fromiter(tally.values(), dtype=np.int64))

    def counts_of_dictionary(
        self, dictionary: Sequence[Any], tally: NDArray[np.int64]
    ) -> NDArray[np.int64]:
        """Count a column that is already dictionary-encoded: its distinct values and their counts.

        Args:
            dictionary: Distinct values, shape (d,); None or NaN among them is missing.
            tally: How often each occurs, shape (d,).

        Returns:
            Counts, shape (len(values) + 3,), whose sum is that of `tally`.
        """
        counts = np.zeros(len(self.values) + 3, dtype=np.int64)
        np.add.at(counts, self._cells(dictionary), tally)
        return counts

    def codes(self, column: Sequence[Any] | NDArray[Any]) -> NDArray[np.int64]:
        """Return the cell of each value, shape (n,): an index into the counts."""
        values = _python_values(column)
        distinct = list(dict.fromkeys(values))
        cell_of = dict(zip(distinct, self._cells(distinct).tolist(), strict=True))
        return np.fromiter((cell_of[value] for value in values), dtype=np.int64, count=len(values))

    def _cells(self, distinct: Sequence[Any]) -> NDArray[np.int64]:
        place = {value: i for i, value in enumerate(self.values)}
        other, unseen, missing = (len(place) + i for i in range(3))
        cells = np.empty(len(distinct), dtype=np.int64)
        for i, value in enumerate(distinct):
            if is_missing(value):
                cells[i] = missing
            elif value in place:
                cells[i] = place[value]
            else:
                cells[i] = other if self.others is None or value in self.others else unseen
        return cells


def numeric_bins(reference: ArrayLike, *, bins: int = 10) -> NumericBins:
    """Cut a reference column into bins of about equal share.

    A value that alone fills a bin's share gets a bin of its own, and the rest is cut into
    quantiles; so a column that is 0 in 95 % of rows keeps a cell for 0 and one for the others, and
    a 0/1 column has two cells however rare its 1.

    Args:
        reference: Values, shape (n,); missing and infinite ones are ignored.
        bins: Number of inner bins aimed at, at least 1; ties give fewer or a few more.

    Raises:
        TooFewSamplesError: There is no finite value.

    Returns:
        The bins. A constant column has one.

    Example:
        >>> numeric_bins(range(100), bins=4).edges
        (0.0, 25.0, 50.0, 75.0, 99.0)
        >>> numeric_bins([0.0] * 99 + [1.0]).edges
        (0.0, 1.0, 1.0)
    """
    values = np.asarray(reference).astype(np.float64)
    values = values[np.isfinite(values)]
    if values.size == 0:
        raise TooFewSamplesError("numeric bins", found=0, needed=1)
    values.sort()
    starts = np.flatnonzero(np.r_[True, values[1:] != values[:-1]])
    sizes = np.diff(np.r_[starts, values.size])
    is_heavy = sizes * bins >= values.size
    lower = [values[starts[is_heavy]]]
    # The value after a heavy one opens a bin, or the heavy one would share its own.
    after_heavy = np.flatnonzero(is_heavy) + 1
    lower.append(values[starts[after_heavy[after_heavy < starts.size]]])
    rest = values[~np.repeat(is_heavy, sizes)]
    parts = int(np.ceil(bins * rest.size / values.size))
    lower.append(rest[np.arange(parts) * rest.size // max(parts, 1)])
    lows = np.unique(np.concatenate([*lower, values[:1]]))
    return NumericBins((*(float(low) for low in lows), float(values[-1])))


def category_bins(
    reference: Sequence[Any] | NDArray[Any], *, top: int = 20, known: int = 1000
) -> CategoryBins:
    """Give each of a reference column's frequent values a cell.

    Args:
        reference: Values, shape (n,).
        top: Number of values with a cell of their own, at least 1.
        known: Largest number of distinct values to remember. A column with more (an identifier, a
            free text) always brings new ones, so there `unseen` would be an alarm without meaning.

    Returns:
        The bins; ties are ordered by the value's text, so that they do not depend on row order.

    Example:
        >>> category_bins(["b", "a", "b", None, "c"], top=2)
        CategoryBins(values=('b', 'a'), others=frozenset({'c'}))
    """
    tally = Counter(_python_values(reference))
    present = [(value, count) for value, count in tally.items() if not is_missing(value)]
    present.sort(key=lambda item: (-item[1], str(item[0])))
    ordered = [value for value, _ in present]
    others = frozenset(ordered[top:]) if len(ordered) <= known else None
    return CategoryBins(tuple(ordered[:top]), others)


def window_counts(codes: NDArray[np.int64], cells: int, length: int) -> NDArray[np.int64]:
    """Count consecutive, non-overlapping windows of a coded column.

    Args:
        codes: Cell of each row in time order, shape (n,), each in [0, cells).
        cells: Number of cells.
        length: Rows in a window, at least 1. Rows after the last whole window are left out.

    Returns:
        Counts, shape (n // length, cells).

    Example:
        >>> window_counts(np.array([0, 1, 1, 1, 0]), 2, 2).tolist()
        [[1, 1], [0, 2]]
    """
    windows = codes.size // length
    offset = np.repeat(np.arange(windows) * cells, length)
    flat = np.bincount(codes[: windows * length] + offset, minlength=windows * cells)
    return flat.reshape(windows, cells)


def is_missing(value: object) -> bool:
    """Return whether a categorical value is None, NaN, pandas' NA or NaT."""
    if value is None or type(value).__name__ in MISSING_TYPES:
        return True
    return isinstance(value, float) and value != value  # noqa: PLR0124 - only NaN differs from itself


def _python_values(column: Sequence[Any] | NDArray[Any]) -> list[Any]:
    # Python scalars hash alike whatever array they came from: np.str_, np.int64 and bool included.
    values: list[Any] = np.asarray(
        column, dtype=None if isinstance(column, np.ndarray) else object
    ).tolist()
    return values
