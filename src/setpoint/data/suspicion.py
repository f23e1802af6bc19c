"""Columns that give the answer away, or are known only after it.

Each finder returns the reason by column. What is found is left out of a drafted contract, or kept with a remark,
never judged silently: whether a value is known in time is something only people can say.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from setpoint.data.traits import MODEL_NAME, Trait

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

GIVES_AWAY = 0.999
"""Strength from which one column alone gives the answer away."""

REMARKABLE = 0.8
"""Strength from which a column is kept with a remark."""

FLAG_AGREES = 0.85
"""Strength from which a flag is taken for the answer under another name."""

MISSING_GIVES_AWAY = 0.9
"""Strength of a column's gaps from which they give the answer away."""

_ROWS = 20_000  # rows that strengths are measured on
_CELLS = 50  # bins of a numeric column
_ROWS_A_CELL = 20  # rows that a bin or a value needs on average, or each has a label of its own
_FEWEST = 20  # rows on the smaller side of a gap
_SAME = 0.995  # agreement of two patterns that are one
_PURE = 0.8  # of the way from a label's usual share to all rows, among those that have, or lack, a value
_USUAL = 0.6  # share up to which a label is not the rule anyway
_MOSTLY_LATER = (
    0.9  # share of later moments from which a column is filled in by what happened later
)
_CENSORED = 0.2  # share of rows whose count of days ends at one date
_AFTER = 0.02  # share of values that lie after their own row
_DAY = 86_400.0
_KEY_ROWS = 64  # rows that find a sum before all rows confirm it


@dataclass(frozen=True)
class Answer:
    """The target as numbers.

    Args:
        codes: Class code or value of each row, shape (n,); NaN where missing.
        classes: Number of classes; 0 for regression.
    """

    codes: Floats
    classes: int

    @property
    def measure(self) -> str:
        """What a strength is, in words."""
        return "R²" if self.classes == 0 else "ROC AUC" if self.classes == 2 else "explained share"  # noqa: PLR2004 - binary

    def of(self, rows: Ints) -> "Answer":
        """Return the answer of some rows."""
        return Answer(self.codes[rows], self.classes)


def strength(groups: Ints, answer: Answer) -> float:
    """Return how well the groups alone tell the answer, 0 (or .5 for two classes) to 1.

    Args:
        groups: Group of each row, 0 or more, shape (n,).
        answer: Two classes: ROC AUC of the groups' shares. More: share of the Gini impurity that goes.
            Numbers: R² of the groups' means.
    """
    known = np.isfinite(answer.codes)
    groups, codes = groups[known], answer.codes[known]
    sizes = np.bincount(groups)
    safe = np.maximum(sizes, 1)
    if answer.classes > 2:  # noqa: PLR2004 - binary
        before = 1 - float(np.sum((np.bincount(codes.astype(np.int64)) / codes.size) ** 2))
        by_class = [
            np.bincount(groups, codes == k, sizes.size) / safe for k in range(answer.classes)
        ]
        after = float(np.sum(sizes / codes.size * (1 - np.sum(np.square(by_class), axis=0))))
        return 1 - after / before if before else 0.0
    means = np.bincount(groups, codes, sizes.size) / safe
    if answer.classes == 0:
        total = float(np.sum((codes - codes.mean()) ** 2))
        return float(np.sum(sizes * (means - codes.mean()) ** 2)) / total if total else 0.0
    ranked = np.argsort(means, kind="stable")
    positive = (sizes * means)[ranked]
    negative = sizes[ranked] - positive
    pairs = float(positive.sum() * negative.sum())
    below = np.cumsum(negative) - negative
    # Groups of one share tie, as equal scores do; neighbours in rank are near enough to that.
    return float(np.sum(positive * (below + negative / 2))) / pairs if pairs else 0.5


def groups_of(trait: Trait, rows: Ints) -> Ints | None:
    """Return a group for each of some rows of a column: bins of numbers, or values; None where each row has its own."""
    if trait.type in ("text", "datetime"):
        return None
    if trait.is_numeric:
        values = trait.numbers[rows]
        finite = values[np.isfinite(values)]
        if not finite.size:
            return None
        cells = max(2, min(_CELLS, rows.size // _ROWS_A_CELL))
        edges = np.unique(np.quantile(finite, np.linspace(0, 1, cells + 1)[1:-1], method="lower"))
        groups = np.searchsorted(edges, values, side="left")
        groups[~np.isfinite(values)] = edges.size + 1
        return groups.astype(np.int64)
    if trait.distinct * _ROWS_A_CELL > rows.size:
        return None
    texts = trait.values.take(pa.array(rows)).cast(pa.string())
    codes = pc.fill_null(texts, "").dictionary_encode().indices
    return np.asarray(codes.to_numpy(zero_copy_only=False).astype(np.int64))


def sample_rows(answer: Answer) -> Ints:
    """Return positions of labelled rows to measure on, evenly spread, at most 20,000."""
    known = np.flatnonzero(np.isfinite(answer.codes))
    if known.size <= _ROWS:
        return known
    return known[np.linspace(0, known.size - 1, _ROWS).astype(np.int64)]


def strengths(traits: Sequence[Trait], answer: Answer) -> dict[str, float]:
    """Return the strength of each column alone; columns where each row has its own value have none."""
    rows = sample_rows(answer)
    part = answer.of(rows)
    found = {}
    for trait in traits:
        groups = groups_of(trait, rows)
        if groups is not None:
            found[trait.name] = strength(groups, part)
    return found


def model_answers(traits: Sequence[Trait]) -> dict[str, str]:
    """Find columns that are named like another model's answers."""
    return {
        trait.name: "looks like the answer of another model"
        for trait in traits
        if MODEL_NAME.search(trait.name)
    }


def telling_gaps(traits: Sequence[Trait], answer: Answer) -> dict[str, str]:
    """Find columns whose missing values tell the answer: they are filled in, or not, because of it."""
    rows = sample_rows(answer)
    part = answer.of(rows)
    found = {}
    for trait in traits:
        missing = trait.is_missing[rows]
        fewest = int(min(missing.sum(), (~missing).sum()))
        if fewest < _FEWEST:
            continue
        alone = strength(missing.astype(np.int64), part)
        if alone >= MISSING_GIVES_AWAY or _is_pure(missing, part):
            found[trait.name] = (
                "whether it is filled in tells the answer, so it is known only afterwards"
            )
    return found


def later_moments(traits: Sequence[Trait], at: Floats | None) -> dict[str, str]:
    """Find datetime columns with values after their own row: they hold what was not known yet.

    Args:
        traits: All columns.
        at: Moment of each row in seconds, shape (n,); None without a time column.
    """
    if at is None:
        return {}
    found = {}
    for trait in traits:
        if trait.type != "datetime":
            continue
        values = trait.numbers
        known = np.isfinite(values) & np.isfinite(at)
        # A day's grace: a time column that holds dates alone is midnight of a day that goes on.
        late = values[known] > at[known] + _DAY
        if known.any() and late.mean() > _AFTER:
            found[trait.name] = f"{late.mean():.0%} of its moments are later than the row itself"
    return found


def telling_patterns(
    traits: Sequence[Trait], answer: Answer, at: Floats | None
) -> dict[str, Bools]:
    """Return where each column has a value whose being there is itself a leak, by column."""
    telling = telling_gaps(traits, answer)
    found = {}
    for trait in traits:
        is_later = False
        if at is not None and trait.type == "datetime" and trait.missing < 1:
            values = trait.numbers
            known = np.isfinite(values)
            is_later = bool(np.mean(values[known] > at[known] + _DAY) >= _MOSTLY_LATER)
        if trait.missing and (trait.name in telling or is_later):
            found[trait.name] = ~trait.is_missing
    return found


def follow_up_times(traits: Sequence[Trait], at: Floats | None) -> dict[str, str]:
    """Find counts of days that end at one date after the last row: time under observation, known only afterwards."""
    if at is None or not np.isfinite(at).any():
        return {}
    day, last = np.floor(at / _DAY), np.nanmax(at) / _DAY
    found = {}
    for trait in traits:
        if trait.type != "int" or trait.distinct < _CELLS:
            continue
        ends = day + trait.numbers
        ends = ends[np.isfinite(ends)]
        values, counts = np.unique(ends, return_counts=True)
        if values.size and counts.max() > _CENSORED * ends.size and values[counts.argmax()] > last:
            found[trait.name] = (
                "counts days up to one date after the last row, so it is known only afterwards"
            )
    return found


def companions(
    traits: Sequence[Trait], leaks: Mapping[str, str], shown: Mapping[str, Bools]
) -> dict[str, str]:
    """Find columns that say the same as a leak's pattern: filled in with it, or a flag for it.

    Args:
        traits: All columns.
        leaks: Reason by column found so far.
        shown: Pattern by leaking column: where it has a value.
    """
    found: dict[str, str] = {}
    for trait in traits:
        if trait.name in leaks:
            continue
        marks = [~trait.is_missing] if trait.missing else []
        if trait.distinct == 2:  # noqa: PLR2004 - a flag
            texts = trait.values.cast(pa.string())
            is_top = pc.fill_null(pc.equal(texts, pc.max(texts)), fill_value=False)
            marks.append(np.asarray(is_top.to_numpy(zero_copy_only=False)))
        for name, pattern in shown.items():
            agreements = [float(np.mean(mark == pattern)) for mark in marks]
            if any(max(share, 1 - share) >= _SAME for share in agreements):
                found[trait.name] = f"says the same as whether {name} is filled in"
                break
    return found


def sums(traits: Sequence[Trait], target: Trait) -> dict[str, str]:
    """Find two columns whose sum or difference is the target."""
    numeric = [trait for trait in traits if trait.is_numeric and not trait.missing]
    known = np.flatnonzero(np.isfinite(target.numbers))
    if len(known) < _KEY_ROWS or len(numeric) < 2:  # noqa: PLR2004 - a pair
        return {}
    probe = known[np.linspace(0, known.size - 1, _KEY_ROWS).astype(np.int64)]
    aim = target.numbers
    by_key = {_key(trait.numbers[probe]): trait for trait in numeric}
    for trait in numeric:
        values = trait.numbers
        for sign, words in ((-1.0, "+"), (1.0, "-")):
            other = by_key.get(_key(aim[probe] + sign * values[probe]))
            if other is None or other.name == trait.name:
                continue
            rest = np.abs(aim[known] + sign * values[known] - other.numbers[known])
            if np.mean(rest <= 1e-6 * (1 + np.abs(aim[known]))) >= _SAME:
                reason = f"{other.name} {words} {trait.name} is {target.name}"
                return {other.name: reason, trait.name: reason}
    return {}


def repeated_columns(traits: Sequence[Trait]) -> dict[str, str]:
    """Find columns with the values of an earlier one."""
    first: dict[tuple[str, bytes], str] = {}
    found = {}
    for trait in traits:
        if trait.is_numeric:
            key = ("number", _key(trait.numbers))
        else:
            texts = trait.values.cast(pa.string()).dictionary_encode()
            words = "\x00".join(map(str, texts.dictionary.to_pylist()))
            codes = pc.fill_null(texts.indices, -1).to_numpy(zero_copy_only=False)
            key = (words, codes.astype(np.int64).tobytes())
        if key in first:
            found[trait.name] = f"has the same values as {first[key]}"
        else:
            first[key] = trait.name
    return found


def hour_like(names: Sequence[str]) -> str | None:
    """Return the column that is named like an hour of the day, if any."""
    return next((name for name in names if re.fullmatch(r"(?i)hr|hour|hour_of_day", name)), None)


def _is_pure(missing: Bools, answer: Answer) -> bool:
    """Whether the rows that have a value, or those that lack it, all but share one label that is not the rule."""
    if answer.classes == 0:
        return False
    labels = answer.codes.astype(np.int64)
    usual = np.bincount(labels, minlength=answer.classes) / labels.size
    for side in (missing, ~missing):
        if side.sum() < 2 * _FEWEST:
            continue
        shares = np.bincount(labels[side], minlength=answer.classes) / side.sum()
        top = int(shares.argmax())
        if usual[top] <= _USUAL and shares[top] - usual[top] >= _PURE * (1 - usual[top]):
            return True
    return False


def _key(values: Floats) -> bytes:
    return np.round(np.asarray(values, dtype=np.float64) + 0.0, 6).tobytes()
