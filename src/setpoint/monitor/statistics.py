"""Statistics that teams know, reported beside the distance that is judged: PSI, JS, KS, chi-squared, L-infinity, W."""

import numpy as np

from setpoint.facts.evidence import Floats
from setpoint.monitor.counting import Counted
from setpoint.stats.distance import jensen_shannon, ks_binned, l_infinity, psi
from setpoint.stats.significance import ks_p_value

_OUTSIDE = 3  # cells after the inner ones: below, above, missing; or other, unseen, missing


def beside(column: Counted) -> dict[str, float]:
    """Return the statistics of a counted column that has rows, by name; what is not defined is left out.

    `psi`, `js`, `linf` for all; for numbers also `ks` (over the cells' edges), `wasserstein` (in standard deviations
    of the reference, from counts inside its range, so up to a third too large where tails are long), and the
    window's `mean`.
    """
    reference = np.asarray(column.profile.shares)
    current = np.asarray(column.counts, dtype=np.float64)
    current /= current.sum()
    found = {
        "psi": float(psi(reference, current)),
        "js": float(jensen_shannon(reference, current)),
        "linf": float(l_infinity(reference, current)),
    }
    if column.values is not None:
        with np.errstate(over="ignore"):  # huge values have no mean; what is infinite is left out
            found |= _of_numbers(column, reference, current)
    return {name: value for name, value in found.items() if np.isfinite(value)}


def ks_p(statistic: float, reference_rows: float, rows: float) -> float:
    """Return the p-value of a Kolmogorov-Smirnov statistic with effective rows."""
    return ks_p_value(statistic, reference_rows, rows)


def _of_numbers(column: Counted, reference: Floats, current: Floats) -> dict[str, float]:
    values = np.empty(0) if column.values is None else column.values
    finite = values[np.isfinite(values)]
    if not finite.size or reference[:-1].sum() == 0:
        return {}
    inner = reference.size - _OUTSIDE
    # In the order of the numbers: below, inner cells, above.
    order = [inner, *range(inner), inner + 1]
    found = {"mean": float(finite.mean()), "ks": float(ks_binned(reference[order], current[order]))}
    if column.profile.std:
        apart = _transport(column, reference[order], current[order], finite)
        found["wasserstein"] = apart / column.profile.std
    return found


def _transport(column: Counted, reference: Floats, current: Floats, finite: Floats) -> float:
    """Area between the distribution functions: both spread evenly within a cell, and exactly outside the range."""
    edges = np.asarray(column.profile.edges)
    gap = np.cumsum(current / current.sum() - reference / reference.sum())
    left, right = gap[:-2], gap[1:-1]
    span = np.where(left * right < 0, np.abs(left) + np.abs(right), 1.0)
    crossed = (left**2 + right**2) / (2 * span)
    area = np.where(left * right < 0, crossed, np.abs(left + right) / 2)
    outside = np.maximum(edges[0] - finite, 0.0) + np.maximum(finite - edges[-1], 0.0)
    return float(area @ np.diff(edges)) + float(outside.mean())
