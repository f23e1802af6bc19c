"""What was found in a table and decided, in sentences for people."""

from collections.abc import Mapping, Sequence

import numpy as np

from setpoint.data.draft import Study
from setpoint.data.sniff import TextForm
from setpoint.data.suspicion import hour_like

WIDE = 400
"""Columns from which a draft states types alone: nobody reads more limits than that."""

_DAY = 86_400.0


def notes_of(
    study: Study, form: TextForm | None, reasons: Mapping[str, str], protected: Sequence[str]
) -> tuple[str, ...]:
    """Return the notes on a study, whose columns `reasons` are left out."""
    wish, target = study.wish, study.target
    notes = [f"{study.table.num_rows:,} rows, {study.table.num_columns} columns"]
    notes.extend(form.notes if form is not None else ())
    if study.form.nulls:
        notes.append(f"{', '.join(map(repr, study.form.nulls))} means a missing value")
    notes.append(f"task {target.task}: {target.remark}")
    missing = int((~np.isfinite(target.answer.codes)).sum())
    if missing:
        notes.append(f"{missing:,} rows have no label; they are not learnt from")
    if study.key and not wish.key:
        notes.append(f"key {study.key}: has another value in every row, and is named so")
    notes.extend(_time_notes(study))
    if protected:
        notes.append(f"protected by their names: {', '.join(protected)}")
    notes.extend(f"left out {name}: {reason}" for name, reason in reasons.items())
    if len(study.candidates) > WIDE:
        notes.append(
            f"{len(study.candidates):,} columns: their types are stated, their limits are not"
        )
    return tuple(notes)


def _time_notes(study: Study) -> list[str]:
    wish = study.wish
    if wish.time is None:
        dated = [trait.name for trait in study.candidates if trait.type == "datetime"]
        if dated:
            return [
                f"{dated[0]} holds dates: name it with --time {dated[0]} to learn and judge in order of time"
            ]
        return [
            "no time column: rows are divided by a hash of their content; a replay takes them in their order"
        ]
    at = study.traits[wish.time].numbers
    notes = []
    if not study.was_sorted:
        notes.append(f"rows are not in order of {wish.time}; they are sorted by it")
    hour = hour_like([trait.name for trait in study.candidates])
    if hour and np.all(at % _DAY == 0):
        notes.append(
            f"{wish.time} holds dates alone; {hour} stays an input, and rows of one day keep their order"
        )
    return notes


def some_of(names: Mapping[str, str] | Sequence[str]) -> str:
    """Return the first eight names, with their reasons where there are some."""
    listed = list(names.items() if isinstance(names, Mapping) else names)
    shown = ", ".join(
        f"{item[0]} ({item[1]})" if isinstance(item, tuple) else repr(item) for item in listed[:8]
    )
    return shown + (", …" if len(listed) > 8 else "")  # noqa: PLR2004 - a line of names
