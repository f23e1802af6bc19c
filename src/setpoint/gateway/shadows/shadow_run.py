"""What a shadow says of copies of requests: checked by its own schema, run together, each failing by its own rows only.

Runs on a thread of its own, beside the requests, and changes nothing.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from setpoint.facts.prediction import Prediction, shadow_id
from setpoint.gateway.answering import Answered
from setpoint.gateway.models.deciding import Decided, decide, numbers_of
from setpoint.gateway.models.versions import Version
from setpoint.gateway.rows.rows import Rows, checked, entity_text
from setpoint.gateway.rows.schema import Row
from setpoint.gateway.serving import Serving, Shadowing
from setpoint.gateway.shadows.comparing import Compared, compare
from setpoint.gateway.wire.refusal import RefusedError

VARIANT = "shadow"
REFUSED, FAILED = "refused", "failed"
_LONGEST = 500  # characters of a reason


class Copy(NamedTuple):
    """A request that was answered, for shadows to answer again.

    Args:
        serving: What it was answered by.
        answered: The answer; without labels where the version gave none.
        rows: The rows as they came.
        values: The same, checked by the answering version's schema.
        request: Id that the client gave, or empty.
        at: When it was answered, in seconds since 1970-01-01 UTC.
    """

    serving: Serving
    answered: Answered
    rows: Rows
    values: Sequence[Row]
    request: str
    at: float


class Said(NamedTuple):
    """What a shadow says of one copy of n rows.

    Args:
        shadowing: The shadow.
        copy: The copy.
        kind: `refused` by the shadow's schema, its model `failed`, or empty for an answer.
        compared: The answer against the live one; None where either is missing.
        latency_s: Seconds to check these rows, and to run the model on them and those beside them.
        lines: What the log is given, a line for each row.
    """

    shadowing: Shadowing
    copy: Copy
    kind: str
    compared: Compared | None
    latency_s: float
    lines: list[Prediction]


class _Answer(NamedTuple):
    """A shadow's answer to one copy.

    Args:
        values: The rows by the shadow's schema; empty where that refuses them.
        decided: The answer; None where there is none.
        kind: Why there is none, in one word, or empty.
        reason: Why there is none, or empty.
        latency_s: What it took.
    """

    values: Sequence[Row]
    decided: Decided | None
    kind: str
    reason: str
    latency_s: float


def shadow_says(
    shadowing: Shadowing, copies: Sequence[Copy], stopwatch: Callable[[], float]
) -> list[Said]:
    """Return what a shadow says of copies.

    Args:
        shadowing: The shadow.
        copies: One or more; its model runs on all of them at once.
        stopwatch: Returns seconds on a clock that never jumps.
    """
    found: dict[int, _Answer] = {}
    sound: list[tuple[int, Sequence[Row], float]] = []
    for place, copy in enumerate(copies):
        began = stopwatch()
        try:
            values = _checked(shadowing, copy)
        except RefusedError as refusal:
            reason = f"{REFUSED}: {refusal}"[:_LONGEST]
            found[place] = _Answer((), None, REFUSED, reason, stopwatch() - began)
        else:
            sound.append((place, values, stopwatch() - began))
    began = stopwatch()
    answers = _answers(shadowing.version, [values for _, values, _ in sound])
    took_s = stopwatch() - began
    for (place, values, checked_s), answer in zip(sound, answers, strict=True):
        failed = isinstance(answer, str)
        found[place] = _Answer(
            values,
            None if isinstance(answer, str) else answer,
            FAILED if failed else "",
            answer if isinstance(answer, str) else "",
            checked_s + took_s,
        )
    return [_said(shadowing, copy, found[place]) for place, copy in enumerate(copies)]


def _checked(shadowing: Shadowing, copy: Copy) -> Sequence[Row]:
    """Return a copy's rows by the shadow's schema.

    Raises:
        RefusedError: 422; it refuses them.
    """
    if copy.answered.choice.version.number in shadowing.alike:
        return copy.values
    return checked(copy.rows, shadowing.version.schema)


def _answers(version: Version, asked: Sequence[Sequence[Row]]) -> list[Decided | str]:
    """Return the answer to the rows of each copy, or why there is none."""
    if not asked:
        return []
    try:
        return list(_run(version, asked))
    except Exception:  # noqa: BLE001 (the model is foreign code: each copy alone shows whose rows it fails on)
        return [_answer_alone(version, rows) for rows in asked]


def _answer_alone(version: Version, rows: Sequence[Row]) -> Decided | str:
    try:
        return _run(version, [rows])[0]
    except Exception as error:  # noqa: BLE001 (as above: its failure is the shadow's error, on record)
        return f"{type(error).__name__}: {error}"[:_LONGEST]


def _run(version: Version, asked: Sequence[Sequence[Row]]) -> list[Decided]:
    """Run the model once."""
    rows = [row for some in asked for row in some]
    numbers = numbers_of(version.schema, version.batcher.runner.run(rows), len(rows))
    found, start = [], 0
    for some in asked:
        found.append(decide(version.schema, numbers, start, start + len(some)))
        start += len(some)
    return found


def _said(shadowing: Shadowing, copy: Copy, answer: _Answer) -> Said:
    live, compared = copy.answered, None
    if answer.decided is not None and live.decided.labels:
        schema = shadowing.version.schema
        compared = compare(live.decided, live.schema, answer.decided, schema)
    is_logged = copy.serving.deployment.log != "off"
    lines = _lines(shadowing, copy, answer) if is_logged else []
    return Said(shadowing, copy, answer.kind, compared, answer.latency_s, lines)


def _lines(shadowing: Shadowing, copy: Copy, answer: _Answer) -> list[Prediction]:
    """Return the log's lines for a shadow's answer to one copy."""
    decided, reason = answer.decided, answer.reason
    schema, count = copy.answered.schema, len(copy.values)
    keys = [entity_text(key) for key in copy.rows.values(schema.key, schema)] if schema.key else []
    values = answer.values or [(None,) * len(shadowing.version.schema.names)] * count
    if (held := shadowing.withholding) is not None:
        values = [held.values(row) for row in values]
        keys = [held.key(key) for key in keys]
        reason = held.error(reason)
    labels = [None] * count if decided is None else decided.labels
    chances = decided.probability if decided is not None else ()
    return [
        Prediction(
            by=shadowing.by,
            id=shadow_id(identity, shadowing.version.number),
            at=copy.at,
            variant=VARIANT,
            propensity=0.0,
            key=keys[row] if keys else "",
            request=copy.request,
            values=values[row],
            prediction=labels[row],
            probability=chances[row] if chances else None,
            latency_s=answer.latency_s,
            error=reason,
        )
        for row, identity in enumerate(copy.answered.ids)
    ]
