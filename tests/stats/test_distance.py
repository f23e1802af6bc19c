"""Distances against published values, closed forms and scipy."""

import numpy as np
import pytest
from scipy import stats
from scipy.spatial.distance import jensenshannon

from setpoint.errors import TooFewSamplesError, UndefinedMetricError
from setpoint.stats.binning import category_bins, numeric_bins
from setpoint.stats.distance import (
    jensen_shannon,
    ks_binned,
    ks_statistic,
    l_infinity,
    psi,
    shares,
    total_variation,
    wasserstein,
    wasserstein_binned,
)

RNG = np.random.RandomState  # the published values were drawn with numpy's older generator


def counted(bins, *columns):
    return [bins.counts(column) for column in columns]


@pytest.mark.parametrize("distance", [total_variation, psi, jensen_shannon, l_infinity, ks_binned])
def test_zero_for_equal_shares_and_batches_agree(distance):
    rng = np.random.default_rng(3)
    p, q = rng.integers(1, 50, (2, 7, 5))
    assert distance(p, 3 * p) == pytest.approx(np.zeros(7), abs=1e-12)
    assert distance(p, q) == pytest.approx(
        [float(distance(a, b)) for a, b in zip(p, q, strict=True)]
    )


def test_total_variation_one_without_common_cell():
    assert total_variation([3, 0], [0, 9]) == 1


def test_nannyml_js_normal_samples():
    random = RNG(1)
    reference, current = random.normal(0, 1, 10_000), random.normal(0, 1, 1000)
    edges = np.histogram_bin_edges(reference, "doane")
    p, q = np.histogram(reference, edges)[0], np.histogram(current, edges)[0]
    assert round(float(jensen_shannon(p, q)), 2) == pytest.approx(0.05, abs=0.011)


def test_nannyml_js_quasi_continuous():
    random = RNG(1)
    reference = random.choice(np.linspace(0, 2, 6), 10_000)
    current = random.choice(np.linspace(0, 2, 3), 1000)
    bins = category_bins(reference.round(6))
    assert (
        round(float(jensen_shannon(*counted(bins, reference.round(6), current.round(6)))), 2)
        == 0.73
    )


def test_nannyml_js_categorical():
    random = RNG(1)
    reference = random.choice(["a", "b", "c", "d"], 10_000)
    current = random.choice(["a", "b", "c", "e"], 1000)
    assert (
        round(float(jensen_shannon(*counted(category_bins(reference), reference, current))), 1)
        == 0.5
    )


def test_nannyml_l_infinity():
    reference = ["a", "b", "c"] * 2
    bins = category_bins(reference)
    new = counted(bins, reference, [*reference, "d"])
    assert round(float(l_infinity(*new)), 2) == 0.14
    total = counted(bins, ["a", "b", "c"], ["b", "b", "b"])
    assert round(float(l_infinity(*total)), 2) == 0.67


def test_js_equals_scipy():
    rng = np.random.default_rng(4)
    p, q = rng.integers(0, 9, (2, 12))
    assert float(jensen_shannon(p, q)) == pytest.approx(jensenshannon(p, q, base=2))


def test_psi_closed_form():
    p, q = np.array([0.2, 0.3, 0.5]), np.array([0.3, 0.3, 0.4])
    assert float(psi(p, q)) == pytest.approx(np.sum((q - p) * np.log(q / p)))


def test_psi_stays_finite_for_an_unseen_category():
    assert 0 < float(psi([100, 0], [50, 50])) < 5


@pytest.mark.parametrize("levels", [None, 5])
def test_ks_and_wasserstein_equal_scipy_with_and_without_ties(levels):
    rng = np.random.default_rng(5)
    x, y = rng.normal(size=300), rng.normal(0.4, 2, size=170)
    if levels:
        x, y = x.round(), y.round()
    assert ks_statistic(x, y) == pytest.approx(stats.ks_2samp(x, y).statistic)
    expected = stats.wasserstein_distance(x, y) / x.std()
    assert wasserstein(x, y) == pytest.approx(expected)


def test_large_sample_tiny_shift_is_a_tiny_distance():
    rng = np.random.default_rng(6)
    x, y = rng.normal(size=300_000), rng.normal(0.02, 1, size=300_000)
    bins = numeric_bins(x)
    assert float(psi(*counted(bins, x, y))) < 0.001
    assert wasserstein(x, y) == pytest.approx(0.02, abs=0.006)
    assert float(total_variation(*counted(bins, x, y))) < 0.02


def test_ks_binned_never_exceeds_the_exact_one():
    rng = np.random.default_rng(7)
    x, y = rng.normal(size=500), rng.normal(0.3, size=500)
    bins = numeric_bins(x)
    inner = [counts[:-3] for counts in counted(bins, x, np.clip(y, bins.edges[0], bins.edges[-1]))]
    assert 0 < ks_binned(*inner) <= ks_statistic(x, y) + 1e-12


def test_wasserstein_binned_near_the_exact_one_with_fine_bins():
    rng = np.random.default_rng(8)
    x, y = rng.uniform(size=4000), rng.beta(2, 3, size=4000)
    edges = np.linspace(0, 1, 101)
    p, q = np.histogram(x, edges)[0], np.histogram(y, edges)[0]
    exact = wasserstein(x, y, sigma=1)
    assert wasserstein_binned(edges, p, q, sigma=1) == pytest.approx(exact, rel=0.01)


def test_wasserstein_binned_with_a_change_of_sign():
    # Gaps at the edges: 0, .5, -.5, 0 over unit bins: triangles of 1/4, 1/8 + 1/8, 1/4.
    assert wasserstein_binned([0, 1, 2, 3], [3, 0, 3], [1, 4, 1], sigma=1) == pytest.approx(
        1 / 6 + 1 / 6 + 1 / 6
    )


def test_constant_reference_has_no_unit():
    assert wasserstein([1, 1], [2]) == np.inf
    assert wasserstein([1, 1], [1]) == 0


def test_nothing_is_not_zero():
    with pytest.raises(TooFewSamplesError):
        shares([0, 0])
    with pytest.raises(TooFewSamplesError):
        ks_statistic([], [1])
    with pytest.raises(UndefinedMetricError):
        ks_statistic([np.nan], [1])
