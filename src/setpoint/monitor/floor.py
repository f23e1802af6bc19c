"""The natural distance that a window is held against: the larger of the contract's effect and the reference's own."""

from setpoint.facts.profile import ColumnProfile
from setpoint.stats.effective_size import MIN_WINDOWS, effective_rows
from setpoint.stats.floors import chance_floor


def natural_floor(profile: ColumnProfile, rows: int) -> float:
    """Return the distance that windows of the reference itself stay under 95 times in 100.

    The floor of the longest own windows that are not longer than this one: shorter windows swing wider, so
    that it is never too low. Where all own windows are longer, theirs is widened by the root of the ratio.

    Args:
        profile: One column of the reference.
        rows: Rows of the window, at least 1.

    Returns:
        Distance in [0, 1]; the bound for independent rows where the reference has no floors.
    """
    lengths = sorted(int(length) for length in profile.floors)
    if not lengths:
        return chance_floor(
            profile.shares,
            effective_rows(rows, profile.design_effect),
            reference_rows=effective_rows(profile.n, profile.design_effect),
        )
    fitting = [length for length in lengths if length <= rows]
    nearest = fitting[-1] if fitting else lengths[0]
    widened = 1.0 if fitting else (nearest / rows) ** 0.5
    return min(1.0, profile.floors[str(nearest)] * widened)


def is_from_own_windows(profile: ColumnProfile) -> bool:
    """Return whether floors come from enough windows of the reference, and not from the bound by chance."""
    return bool(profile.floors) and profile.windows >= MIN_WINDOWS
