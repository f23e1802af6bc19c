"""A table to a drafted contract: what is predicted, from which columns, within which limits, and why not from others.

The draft is plain data in the order of a contract, with remarks by path for people; `setpoint.data.contract_text`
writes it. Nothing here is final: a person reads the draft, and the contract decides.
"""

import re
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from setpoint.contract.data import Format
from setpoint.data.cells import flat, is_text, trimmed, type_cells
from setpoint.data.conform import require_distinct_names
from setpoint.data.defaults import Facts, default_sections
from setpoint.data.draft import Draft, Study, Wish
from setpoint.data.draft_notes import WIDE, notes_of, some_of
from setpoint.data.left_out import left_out
from setpoint.data.moments import moments_of_text
from setpoint.data.room import grows, nulls_of, range_of, values_of
from setpoint.data.sniff import TextForm
from setpoint.data.suspicion import REMARKABLE, Answer, strengths
from setpoint.data.targets import target_of
from setpoint.data.traits import ID_NAME, PROTECTED_NAME, Trait, missing_tokens, trait_of
from setpoint.errors import DataError, EmptyTableError

Floats = npt.NDArray[np.float64]

MIN_ROWS = 10
"""Fewest labelled rows that a contract can be drafted from."""

_DAY = 86_400.0
_LOOSE_DATE = re.compile(r"\d{1,2}[-/.]\d{1,2}[-/.]\d{4}")
_FIRST_SECOND = 1e8  # of 1973: a smaller number is no moment


def infer(table: pa.Table, wish: Wish, *, form: TextForm | None = None) -> Draft:
    """Draft a contract from a table.

    Args:
        table: Text columns as a file has them, or typed ones.
        wish: What to predict, and what else people say.
        form: How the file is written; None for one with types of its own.

    Raises:
        EmptyTableError: There are no rows.
        DataError: A named column is not there, the target cannot be learnt, or two columns share a name.
    """
    require_distinct_names(table)
    _require_columns(table, wish)
    if table.num_rows == 0:
        raise EmptyTableError("the table has a header but no rows")
    known_form = _format(table, form)
    is_sorted = True
    if wish.time is not None:
        order = _time_order(trait_of(wish.time, table.column(wish.time), known_form))
        is_sorted = bool(np.all(np.diff(order) > 0))
        table = table if is_sorted else table.take(pa.array(order))
    traits = [trait_of(name, table.column(name), known_form) for name in table.column_names]
    by_name = {trait.name: trait for trait in traits}
    target = target_of(by_name[wish.target], wish.task)
    labelled = int(np.isfinite(target.answer.codes).sum())
    if labelled < MIN_ROWS:
        raise DataError(
            f"only {labelled} rows have a label; a contract needs at least {MIN_ROWS} to start from"
        )
    if wish.time is not None:
        by_name[wish.time] = _as_moments(by_name[wish.time])
    key = wish.key or _find_key(traits, wish)
    return _draft(Study(table, wish, key, known_form, by_name, target, is_sorted), form)


def _draft(study: Study, form: TextForm | None) -> Draft:
    wish, target = study.wish, study.target
    strength = strengths(study.candidates, target.answer)
    reasons = left_out(
        study.candidates, study.traits[wish.target], target.answer, study.at, strength
    )
    inputs = [trait for trait in study.candidates if trait.name not in reasons]
    if not inputs:
        raise DataError(f"no column is left to predict {wish.target!r} from: {some_of(reasons)}")
    remarks: dict[str, str] = {}
    columns = _columns(study.candidates, reasons, strength, target.answer, remarks)
    data: dict[str, Any] = {"source": wish.source, "target": wish.target}
    if target.positive is not None:
        data["positive"] = target.positive
    if wish.time:
        data["time"] = wish.time
    if study.key:
        data["key"] = study.key
    protected = [trait.name for trait in inputs if PROTECTED_NAME.search(trait.name)]
    if protected:
        data["protected"] = protected
        remarks["data.protected"] = "found by name"
    written = _format_plain(study, form)
    if written:
        data["format"] = written
    data["columns"] = columns
    checks = _checks(study)
    if checks:
        data["checks"] = checks
    remarks["data.target"] = target.remark
    sections = default_sections(_facts(study))
    contract = {"model": {"name": wish.name, "task": target.task}, "data": data, **sections}
    notes = notes_of(study, form, reasons, protected)
    return Draft(contract, remarks, notes, study.table.num_rows, reasons)


def _columns(
    candidates: Sequence[Trait],
    reasons: Mapping[str, str],
    strength: Mapping[str, float],
    answer: Answer,
    remarks: dict[str, str],
) -> dict[str, dict[str, Any]]:
    columns: dict[str, dict[str, Any]] = {}
    is_wide = len(candidates) > WIDE
    for trait in candidates:
        if trait.name in reasons:
            columns[trait.name] = {"use": False, "reason": reasons[trait.name]}
            continue
        columns[trait.name] = {"type": trait.type} if is_wide else _rules(trait)
        alone = strength.get(trait.name, 0.0)
        if alone >= REMARKABLE:
            remarks[f"data.columns.{trait.name}"] = (
                f"alone it has {answer.measure} {alone:.2f}: is it known when a prediction is made?"
            )
        elif grows(trait):
            remarks[f"data.columns.{trait.name}"] = "moves with time, so it has no limits but 0"
    return columns


def _rules(trait: Trait) -> dict[str, Any]:
    rules: dict[str, Any] = {"type": trait.type}
    if trait.is_numeric:
        rules.update(range_of(trait))
    elif values := values_of(trait):
        rules["values"] = values
    if nulls := nulls_of(trait.missing):
        rules["nulls"] = nulls
    return rules


def _checks(study: Study) -> dict[str, Any]:
    checks: dict[str, Any] = {}
    if study.key is not None:
        trait = study.traits[study.key]
        if not trait.missing and trait.distinct == study.table.num_rows:
            checks["unique"] = [study.key]
    if study.target.task != "regression":
        checks["label_share"] = {"shift": "25 points"}
    return checks


def _facts(study: Study) -> Facts:
    answer = study.target.answer
    codes = answer.codes[np.isfinite(answer.codes)]
    minority = 0.0
    if answer.classes:
        minority = float(
            np.bincount(codes.astype(np.int64), minlength=answer.classes).min() / codes.size
        )
    rows_a_day = 0.0
    if study.at is not None:
        days = np.floor(study.at[np.isfinite(study.at)] / _DAY)
        rows_a_day = float(days.size / max(np.ptp(days), 1.0)) if days.size else 0.0
    return Facts(
        study.target.task, int(codes.size), study.wish.time is not None, minority, rows_a_day
    )


def _format(table: pa.Table, form: TextForm | None) -> Format:
    """How cells are read: tokens of missing values, decimal sign, day before month."""
    decimal = form.decimal if form is not None else "."
    tokens = missing_tokens(table, decimal=decimal)
    found = Format(decimal="," if decimal == "," else ".", nulls=tokens or None)
    day_first = None if form is None else _day_first(table, found)
    return found.model_copy(update={"dayfirst": day_first})


def _day_first(table: pa.Table, form: Format) -> bool | None:
    """Whether days stand before months in the table's dates; None where none says so."""
    for name in table.column_names:
        column = table.column(name)
        if not is_text(column.type):
            continue
        texts = pc.unique(trimmed(flat(column), form.nulls)).drop_null()
        if not len(texts) or not _LOOSE_DATE.match(texts[0].as_py()):
            continue
        found = moments_of_text(texts)
        if found.fits.all() and found.day_first is not None and not found.in_doubt:
            return found.day_first
    return None


def _format_plain(study: Study, form: TextForm | None) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if form is not None:
        if form.separator != ",":
            found["separator"] = form.separator
        if form.encoding != "utf-8":
            found["encoding"] = form.encoding
        if form.decimal != ".":
            found["decimal"] = form.decimal
    if study.form.nulls:
        found["nulls"] = list(study.form.nulls)
    if study.form.dayfirst is not None:
        found["dayfirst"] = study.form.dayfirst
    return found


def _time_order(trait: Trait) -> npt.NDArray[np.int64]:
    return np.argsort(_as_moments(trait).numbers, kind="stable")


def _as_moments(trait: Trait) -> Trait:
    """Return the time column as moments, also where its type alone would not say so (seconds since 1970).

    Raises:
        DataError: It holds something else, or a row has none.
    """
    moments = trait
    if trait.is_numeric:
        low = float(np.nanmin(trait.numbers)) if trait.distinct else 0.0
        if low < _FIRST_SECOND:
            raise DataError(
                f"the time column {trait.name!r} holds numbers such as {low:g}; seconds since 1970 are larger"
            )
        cells = type_cells(pa.chunked_array([trait.values]), "datetime", Format())
        moments = Trait(trait.name, "datetime", cells.values, trait.missing, trait.distinct)
    elif trait.type != "datetime":
        raise DataError(
            f"the time column {trait.name!r} does not hold dates, such as {_example(trait)!r}"
        )
    if trait.missing:
        rows = round(trait.missing * len(trait.values))
        raise DataError(
            f"{rows:,} rows have no {trait.name!r}; a row without a time cannot be placed, so remove them"
        )
    return moments


def _find_key(traits: Sequence[Trait], wish: Wish) -> str | None:
    """The first column that is named like an identifier and has another value in every row."""
    for trait in traits:
        if (
            trait.name in (wish.target, wish.time)
            or trait.missing
            or trait.type not in ("int", "text", "category")
        ):
            continue
        if (
            trait.distinct == len(trait.values)
            and ID_NAME.search(trait.name)
            and not _is_counter(trait)
        ):
            return trait.name
    return None


def _is_counter(trait: Trait) -> bool:
    """Row numbers in the order of the rows say nothing of whom a row is about, unless they are called an id."""
    return trait.counts_rows and not trait.name.lower().endswith("id")


def _require_columns(table: pa.Table, wish: Wish) -> None:
    for what, name in (("target", wish.target), ("time", wish.time), ("key", wish.key)):
        if name is None or name in table.column_names:
            continue
        near = get_close_matches(name, table.column_names, n=1, cutoff=0.5)
        hint = f"did you mean {near[0]!r}?" if near else f"there are {some_of(table.column_names)}"
        raise DataError(f"there is no {what} column {name!r}; {hint}")
    if wish.time == wish.target:
        raise DataError(f"{wish.target!r} cannot be both target and time")
    if wish.key == wish.target:
        raise DataError(f"{wish.target!r} cannot be both target and key")


def _example(trait: Trait) -> str:
    present = trait.values.drop_null()
    return str(present[0].as_py()) if len(present) else ""
