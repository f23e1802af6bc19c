"""The reference profile: how a version's training rows looked, small enough to travel in its bundle."""

import msgspec


class ColumnProfile(msgspec.Struct, frozen=True, kw_only=True):
    """One column of the reference.

    Args:
        name: Column name, or `prediction`.
        kind: `numeric` or `category`.
        n: Reference rows.
        missing: Share of missing values, 0 to 1.
        edges: Numeric: inner and outer bin edges, ascending (length bins + 1).
        values: Category: the values that have a bin of their own, most frequent first.
        known: Category: every value seen in the reference (those beyond `values` are "other").
        shares: Share of each bin, in the order of the binning (`setpoint.stats.binning`); sums to 1.
        floors: Natural distance of the reference's own windows by window length in rows, as text.
        design_effect: Variance inflation of bin shares against independent rows; 1 when rows are independent.
        windows: Number of own windows behind `floors` and `design_effect`; under 8 the i.i.d. bound is used.
        mean: Numeric: mean of finite values.
        std: Numeric: standard deviation of finite values.
        low: Numeric: smallest finite value.
        high: Numeric: largest finite value.
    """

    name: str
    kind: str
    n: int
    missing: float
    edges: tuple[float, ...] = ()
    values: tuple[str, ...] = ()
    known: tuple[str, ...] = ()
    shares: tuple[float, ...] = ()
    floors: dict[str, float] = {}
    design_effect: float = 1.0
    windows: int = 0
    mean: float | None = None
    std: float | None = None
    low: float | None = None
    high: float | None = None


class Profile(msgspec.Struct, frozen=True, kw_only=True):
    """All columns of a reference, and the share of each label (classification) among its rows."""

    rows: int
    columns: tuple[ColumnProfile, ...]
    label_shares: dict[str, float] = {}
