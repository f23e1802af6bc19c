"""What binning must not get wrong: ties, constants, infinities, nothings, rare values."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from setpoint.errors import TooFewSamplesError
from setpoint.stats.binning import (
    CategoryBins,
    NumericBins,
    category_bins,
    is_missing,
    numeric_bins,
    window_counts,
)

ANY_FLOATS = hnp.arrays(np.float64, st.integers(0, 60), elements=st.floats(allow_nan=True))
FINITE = hnp.arrays(
    np.float64,
    st.integers(1, 60),
    elements=st.one_of(st.floats(-1e6, 1e6), st.sampled_from([0.0, 1.0, 2.0])),
)


@given(reference=FINITE, column=ANY_FLOATS)
def test_every_row_is_in_one_cell_and_codes_agree_with_counts(reference, column):
    bins = numeric_bins(reference)
    counts = bins.counts(column)
    assert counts.sum() == column.size
    assert counts.size == len(bins.labels) == len(bins.edges) + 2
    assert np.array_equal(counts, np.bincount(bins.codes(column), minlength=counts.size))


@given(reference=FINITE)
def test_reference_fills_no_out_of_range_cell(reference):
    counts = numeric_bins(reference).counts(reference)
    assert counts[-3:].sum() == 0
    assert (counts[:-3] > 0).all()


def test_continuous_reference_gives_deciles():
    reference = np.random.default_rng(1).normal(size=10_000)
    counts = numeric_bins(reference).counts(reference)
    assert counts[:-3].tolist() == [1000] * 10


def test_rare_ones_of_a_binary_column_keep_their_cell():
    bins = numeric_bins([0] * 995 + [1] * 5)
    assert bins.counts([0, 1, 1, 0.5, 2]).tolist() == [2, 2, 0, 1, 0]


def test_zero_inflated_column_separates_zero_from_the_rest():
    reference = np.r_[np.zeros(900), np.arange(1, 101)]
    assert numeric_bins(reference).counts(reference)[0] == 900


def test_constant_column():
    bins = numeric_bins([3, 3, 3])
    assert bins.edges == (3.0, 3.0)
    assert bins.counts([3, 3, 2, 4, np.nan]).tolist() == [2, 1, 1, 1]


def test_infinity_is_out_of_range_and_not_missing():
    counts = NumericBins((0.0, 1.0)).counts([np.inf, -np.inf, np.nan])
    assert counts.tolist() == [0, 1, 1, 1]


@pytest.mark.parametrize("column", [[], [np.nan], [None, None], [np.inf]])
def test_reference_without_a_finite_value_is_refused(column):
    with pytest.raises(TooFewSamplesError):
        numeric_bins(np.array(column, dtype=object))


@pytest.mark.parametrize("dtype", [np.float32, np.int64, np.int8, np.bool_, object])
def test_number_types(dtype):
    assert NumericBins((0.0, 1.0, 1.0)).counts(np.array([0, 1, 1], dtype=dtype))[:2].tolist() == [
        1,
        2,
    ]


def test_float32_column_is_compared_at_full_precision():
    edge = 0.1  # float32(0.1) is above it
    assert NumericBins((0.0, edge, 1.0)).counts(np.array([0.1], np.float32))[1] == 1


def test_many_chunks_count_as_one():
    column = np.random.default_rng(2).normal(size=100_001)
    bins = numeric_bins(column)
    expected = np.histogram(column, bins.edges)[0]
    assert np.array_equal(bins.counts(column)[:-3], expected)


def test_categories_top_other_unseen_missing():
    reference = ["a"] * 5 + ["b"] * 3 + ["c", "d"]
    bins = category_bins(reference, top=2)
    assert bins == CategoryBins(("a", "b"), frozenset({"c", "d"}))
    assert bins.counts(["a", "c", "x", None, float("nan"), pd.NA]).tolist() == [1, 0, 1, 1, 3]


@pytest.mark.parametrize(
    "array", [np.array(["a", "b", "a"]), np.array(["a", "b", "a"], dtype=object)]
)
def test_categories_of_either_string_array(array):
    bins = category_bins(["a", "b", "a"])
    assert bins.counts(array)[:2].tolist() == [2, 1]
    assert bins.codes(array).tolist() == [0, 1, 0]


def test_categories_of_a_number_array():
    bins = category_bins(np.array([1, 1, 2]))
    assert bins.counts(np.array([1, 2, 3])).tolist() == [1, 1, 0, 1, 0]
    assert bins.counts(np.array([1.0, np.nan])).tolist() == [1, 0, 0, 0, 1]


def test_ties_do_not_depend_on_row_order():
    assert category_bins(["b", "a"], top=1) == category_bins(["a", "b"], top=1)


def test_identifier_column_has_no_unseen():
    bins = category_bins([str(i) for i in range(1001)], top=20, known=1000)
    assert bins.others is None
    assert bins.counts(["new"]).tolist() == [0] * 20 + [1, 0, 0]


def test_all_missing_category_column():
    bins = category_bins([None, None])
    assert bins == CategoryBins(())
    assert bins.counts(["a", None]).tolist() == [0, 1, 1]


def test_dictionary_counts_equal_row_counts():
    bins = category_bins(["a", "b", "b"])
    rows = ["a", "b", "z", None]
    by_dictionary = bins.counts_of_dictionary(["a", "b", "z", None], np.array([1, 1, 1, 1]))
    assert np.array_equal(by_dictionary, bins.counts(rows))


def test_mixed_types_do_not_break():
    assert category_bins(["1", 1, 2.5, True]).counts(["1", 1])[:-3].sum() == 2


def test_windows_leave_the_tail_out():
    assert window_counts(np.array([0, 0, 1, 1, 2]), 3, 2).tolist() == [[2, 0, 0], [0, 2, 0]]


@pytest.mark.parametrize("value", ["", 0, 0.0, False, "nan"])
def test_present_values_are_not_missing(value):
    assert not is_missing(value)
