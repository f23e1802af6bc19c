"""The reference profile of a version's fitting rows: bins, shares, natural floors and plain statistics by column."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypedDict

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from setpoint.contract.contract import Contract
from setpoint.data.columns import ColumnUse, inputs_of
from setpoint.data.labels import label_counts
from setpoint.facts.evidence import Scores
from setpoint.facts.profile import ColumnProfile, Profile
from setpoint.stats.binning import (
    CategoryBins,
    NumericBins,
    category_bins,
    numeric_bins,
    window_counts,
)
from setpoint.stats.effective_size import design_effect_from_codes
from setpoint.stats.floors import distance_design_effect, tvd_floor

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

PREDICTION = "prediction"
"""Name of the column that stands for a version's answers."""


SHORTEST_WINDOWS = 16
"""Own windows that tell how much rows are worth, at least."""

MIN_WINDOW = 10
"""Fewest rows of one; shorter references are judged by how long rows stay in their cell."""


@dataclass(frozen=True)
class WindowPlan:
    """How the reference is cut into windows of its own.

    Args:
        lengths: Window lengths in rows, each at least 1; the first is the one that is watched.
        ordered: Whether rows stand in order of time. Where they do not, rows are taken as independent.
    """

    lengths: tuple[int, ...]
    ordered: bool


class _Windowed(TypedDict):
    shares: tuple[float, ...]
    floors: dict[str, float]
    design_effect: float
    windows: int


def profile_of(table: pa.Table, contract: Contract, plan: WindowPlan) -> Profile:
    """Return the profile of typed rows: every input, and the shares of the labels.

    Args:
        table: The fitting rows, in order of time where `plan.ordered`.
        contract: Has a section `data` and a task.
        plan: Window lengths to find natural floors for.
    """
    columns = tuple(
        _profile_column(use, table.column(use.name), plan)
        for use in inputs_of(contract, table)
        if use.name in table.column_names
    )
    shares: dict[str, float] = {}
    target = contract.require_data().target
    if contract.require_task() != "regression" and target in table.column_names:
        counts = label_counts(table.column(target))
        rows = sum(counts.values())
        shares = {name: count / rows for name, count in counts.items()}
    return Profile(rows=table.num_rows, columns=columns, label_shares=shares)


def prediction_profile(scores: Scores, classes: Sequence[str], plan: WindowPlan) -> ColumnProfile:
    """Return the profile of answers: the number, the probability of the positive class, or the class.

    Args:
        scores: A version's answers to rows it did not see, in order of time where `plan.ordered`.
        classes: Class names in the order of the codes; empty for regression.
        plan: Window lengths to find natural floors for.
    """
    if not classes:
        return numeric_profile(PREDICTION, scores.value, plan)
    if len(classes) == 2 and scores.probability.shape[1] == 2:  # noqa: PLR2004 - binary
        return numeric_profile(PREDICTION, scores.probability[:, 1], plan)
    labels = pa.array(np.asarray(classes, dtype=object)[scores.label], pa.string())
    return category_profile(PREDICTION, pa.chunked_array([labels]), plan)


def numeric_profile(name: str, values: Floats, plan: WindowPlan) -> ColumnProfile:
    """Return the profile of numbers, shape (n,); NaN is missing. A column without any finite value has one bin."""
    finite = values[np.isfinite(values)]
    bins = numeric_bins(finite) if finite.size else NumericBins((0.0, 0.0))
    codes = bins.codes(values)
    return ColumnProfile(
        name=name,
        kind="numeric",
        n=int(values.size),
        missing=float(np.isnan(values).mean()) if values.size else 0.0,
        edges=bins.edges,
        mean=float(finite.mean()) if finite.size else None,
        std=float(finite.std()) if finite.size else None,
        low=float(finite.min()) if finite.size else None,
        high=float(finite.max()) if finite.size else None,
        **_windows(codes, len(bins.labels), plan),
    )


def category_profile(name: str, values: pa.ChunkedArray, plan: WindowPlan) -> ColumnProfile:
    """Return the profile of texts; null is missing."""
    encoded = values.combine_chunks().dictionary_encode()
    distinct = encoded.dictionary.to_pylist()
    codes = pc.fill_null(encoded.indices.cast(pa.int64()), len(distinct)).to_numpy(
        zero_copy_only=False
    )
    bins = category_bins([*distinct, None] if not values.num_chunks else values.to_pylist())
    cells = bins.codes([*distinct, None])
    return ColumnProfile(
        name=name,
        kind="category",
        n=len(values),
        missing=values.null_count / len(values) if len(values) else 0.0,
        values=tuple(str(value) for value in bins.values),
        known=_known(bins),
        **_windows(cells[codes], len(bins.labels), plan),
    )


def _profile_column(use: ColumnUse, column: pa.ChunkedArray, plan: WindowPlan) -> ColumnProfile:
    if use.type in ("category", "text"):
        return category_profile(use.name, column, plan)
    if use.type == "bool":
        return category_profile(use.name, column.cast(pa.string()), plan)
    if use.type == "datetime":
        column = pc.divide(column.cast(pa.int64()).cast(pa.float64()), 1e6)
    values = pc.fill_null(column.cast(pa.float64()), np.nan).to_numpy()
    return numeric_profile(use.name, values, plan)


def _known(bins: CategoryBins) -> tuple[str, ...]:
    others = sorted(str(value) for value in bins.others or ())
    return (*(str(value) for value in bins.values), *others) if bins.others is not None else ()


def _windows(codes: Ints, cells: int, plan: WindowPlan) -> _Windowed:
    """Return shares, floors, design effect and number of own windows of a coded column."""
    counts = np.bincount(codes, minlength=cells)
    by_length = {
        length: window_counts(codes, cells, length)
        if plan.ordered
        else np.zeros((0, cells), dtype=np.int64)
        for length in plan.lengths
    }
    effect = _design_effect(codes, cells, plan)
    floors = {}
    if codes.size:
        for length, windows in by_length.items():
            floor = tvd_floor(windows, design_effect=effect, length=length, reference=counts)
            floors[str(length)] = floor.value
    fewest = min((windows.shape[0] for windows in by_length.values()), default=0)
    return {
        "shares": tuple((counts / max(codes.size, 1)).tolist()),
        "floors": floors,
        "design_effect": effect,
        "windows": fewest,
    }


def _design_effect(codes: Ints, cells: int, plan: WindowPlan) -> float:
    if not plan.ordered or not codes.size:
        return 1.0
    # Windows that are watched, or shorter ones where the reference holds too few of those.
    length = min([codes.size // SHORTEST_WINDOWS, *plan.lengths[:1]])
    if length < MIN_WINDOW:
        return design_effect_from_codes(codes, cells)
    return distance_design_effect(window_counts(codes, cells, length))
