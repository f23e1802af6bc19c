"""Checks of the target: rows without a label, one class alone, classes too many, and the move of the label shares."""

import math

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from setpoint.contract.contract import Contract
from setpoint.data.failing import row_numbers
from setpoint.data.labels import LabelReference, label_counts
from setpoint.facts.classes import label_text
from setpoint.facts.report import Check
from setpoint.facts.verdict import Ruling, Verdict
from setpoint.stats.effective_size import effective_rows
from setpoint.stats.interval import wilson_interval

MIN_ROWS = 30
"""Fewer labels are `inconclusive`."""

DEFAULT_SHIFT = 0.25
"""Largest move of a label's share that needs no one's consent, where the contract says nothing."""

_NAMED = 5  # classes that a sentence names


def label_checks(
    table: pa.Table, contract: Contract, reference: LabelReference | None
) -> list[Check]:
    """Return the checks of the target of a typed table.

    Args:
        table: Typed rows.
        contract: Has a section `data` and a task.
        reference: Labels of the champion's training rows; without one, one class alone is a failure,
            because nothing can be learnt from it, and the two classes of a binary task are the most common ones.
    """
    data = contract.require_data()
    if data.target not in table.column_names:
        return []
    labels = table.column(data.target)
    checks = [_missing(labels, data.target)]
    if contract.require_task() == "regression":
        return [*checks, _constant(labels, data.target)]
    counts = label_counts(labels)
    checks.append(_one_class(counts, data.target, reference))
    checks.append(_classes(labels, counts, contract, reference))
    if reference is not None and reference.rows:
        rule = data.checks.label_share
        limit = DEFAULT_SHIFT if rule is None else float(rule.shift)
        checks.append(_share(counts, data.target, reference, limit))
    return checks


def _missing(labels: pa.ChunkedArray, target: str) -> Check:
    missing, rows = labels.null_count, len(labels)
    ruling: Ruling = "fail" if rows and missing == rows else "pass"
    reason = (
        f"{missing:,} of {rows:,} rows have no label; they are not learnt from" if missing else ""
    )
    if ruling == "fail":
        reason = f"none of {rows:,} rows has a label; is {target!r} the right column?"
    share = missing / rows if rows else None
    verdict = Verdict(
        subject=f"{target} labelled",
        verdict=ruling,
        observed=share,
        limit=1.0,
        n=rows,
        reason=reason,
    )
    return Check(name="labelled", column=target, verdict=verdict, failing=missing)


def _constant(labels: pa.ChunkedArray, target: str) -> Check:
    known = labels.drop_null().to_numpy()
    is_constant = bool(known.size) and bool((known == known[0]).all())
    ruling: Ruling = (
        "pass" if not is_constant else "fail" if known.size >= MIN_ROWS else "inconclusive"
    )
    reason = (
        f"all {known.size:,} values are {known[0]:g}; nothing can be learnt" if is_constant else ""
    )
    verdict = Verdict(subject=f"{target} varies", verdict=ruling, n=int(known.size), reason=reason)
    return Check(
        name="one_class",
        column=target,
        verdict=verdict,
        failing=int(known.size) if is_constant else 0,
    )


def _one_class(counts: dict[str, int], target: str, reference: LabelReference | None) -> Check:
    rows = sum(counts.values())
    ruling: Ruling = "pass"
    reason = ""
    if len(counts) == 1:
        name = next(iter(counts))
        ruling = "fail" if reference is None else "inconclusive"
        reason = f"all {rows:,} labels are {name!r}"
        if reference is None:
            reason += "; a model needs rows of another class too"
        else:
            reason += (
                f", against {reference.shares.get(name, 0.0):.1%} of the champion's training rows"
            )
    verdict = Verdict(
        subject=f"{target} has more than one class",
        verdict=ruling,
        observed=float(len(counts)),
        limit=2.0,
        n=rows,
        reason=reason,
    )
    return Check(
        name="one_class", column=target, verdict=verdict, failing=rows if len(counts) == 1 else 0
    )


def _classes(
    labels: pa.ChunkedArray,
    counts: dict[str, int],
    contract: Contract,
    reference: LabelReference | None,
) -> Check:
    """Return whether every class is one that the model can have: a third class of a binary target can never be fitted.

    A class of a multiclass target that the champion does not know is learnt by the next fit; it is told.
    """
    target = contract.require_data().target
    is_binary = contract.require_task() == "binary"
    known = _known_classes(counts, contract, reference)
    unknown = [name for name in counts if known and name not in known]
    rows = np.flatnonzero(pc.is_in(labels, pa.array(unknown, labels.type)).to_numpy())
    is_failed = is_binary and bool(unknown)
    reason = ""
    if unknown:
        named = ", ".join(f"{name!r} ({counts[name]:,})" for name in unknown[:_NAMED])
        more = f" and {len(unknown) - _NAMED} more" if len(unknown) > _NAMED else ""
        reason = f"{rows.size:,} of {sum(counts.values()):,} labels are {named}{more}"
        knower = "the champion knows" if reference else "the classes are"
        reason += f"; {knower} {', '.join(map(repr, known[:_NAMED]))}"
    if is_failed:
        reason += (
            "; a binary task has two: correct these rows, drop them, or write task: multiclass"
        )
    verdict = Verdict(
        subject=f"{target} has classes that are known",
        verdict="fail" if is_failed else "pass",
        observed=float(len(unknown)),
        limit=0.0,
        n=sum(counts.values()),
        reason=reason,
        evidence={"unknown": {name: counts[name] for name in unknown[:_NAMED]}},
    )
    return Check(
        name="classes",
        column=target,
        verdict=verdict,
        failing=int(rows.size),
        sample=row_numbers(rows),
    )


def _known_classes(
    counts: dict[str, int], contract: Contract, reference: LabelReference | None
) -> list[str]:
    """Return the classes that may stand in the target: the champion's; of a first binary table two; else none known."""
    if reference is not None and reference.rows:
        return list(reference.shares)
    if contract.require_task() != "binary":
        return []
    positive = contract.require_data().positive
    named = set() if positive is None else {label_text(positive)}
    there = {*counts, *named}
    by_size = sorted(there, key=lambda name: (name not in named, -counts.get(name, 0), name))
    return sorted(by_size[:2])


def _share(counts: dict[str, int], target: str, reference: LabelReference, limit: float) -> Check:
    rows = sum(counts.values())
    subject = f"{target} label_share shift at most {limit * 100:g} points"
    if rows == 0:
        verdict = Verdict(
            subject=subject, verdict="inconclusive", limit=limit, n=0, reason="no labels"
        )
        return Check(name="label_share", column=target, verdict=verdict, acceptable=True)
    moves = {
        name: counts.get(name, 0) / rows - reference.shares.get(name, 0.0)
        for name in sorted({*counts, *reference.shares})
    }
    name = max(moves, key=lambda key: abs(moves[key]))
    effect = reference.design_effect
    low, high = _move_interval(
        (counts.get(name, 0) / rows, effective_rows(rows, effect)),
        (reference.shares.get(name, 0.0), effective_rows(reference.rows, effect)),
    )
    ruling = _judge_move(abs(moves[name]), (low, high), rows, limit)
    reason = (
        f"{name!r} is {counts.get(name, 0) / rows:.1%} of {rows:,} labels, "
        f"{reference.shares.get(name, 0.0):.1%} of the champion's training rows"
    )
    if ruling == "inconclusive":
        reason += "; too few labels to tell"
    verdict = Verdict(
        subject=subject,
        verdict=ruling,
        observed=abs(moves[name]),
        limit=limit,
        interval=(low, high),
        n=rows,
        reason=reason,
        evidence={
            "label": name,
            "moves": moves,
            "reference_rows": reference.rows,
            "design_effect": effect,
        },
    )
    failing = counts.get(name, 0) if ruling == "fail" else 0
    return Check(
        name="label_share", column=target, verdict=verdict, failing=failing, acceptable=True
    )


def _judge_move(move: float, interval: tuple[float, float], rows: int, limit: float) -> Ruling:
    """Fail when the whole interval of the move is beyond the limit; pass within it, given rows enough."""
    if interval[0] > limit:
        return "fail"
    return "pass" if move <= limit and rows >= MIN_ROWS else "inconclusive"


def _move_interval(now: tuple[float, float], before: tuple[float, float]) -> tuple[float, float]:
    """Return the 95 % interval of the size of the move between two shares, each with its effective rows.

    References:
        Newcombe 1998, Interval estimation for the difference between independent proportions, method 10.
    """
    (share, rows), (share_before, rows_before) = now, before
    low, high = wilson_interval(share * rows, rows)
    low_before, high_before = wilson_interval(share_before * rows_before, rows_before)
    move = share - share_before
    down = move - math.hypot(share - low, high_before - share_before)
    up = move + math.hypot(high - share, share_before - low_before)
    if down <= 0 <= up:
        return 0.0, max(-down, up)
    return min(abs(down), abs(up)), max(abs(down), abs(up))
