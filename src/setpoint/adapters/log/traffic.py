"""What gateways answered, read from the prediction log; implements `setpoint.ports.traffic.Traffic` for the live world.

On the axis `time` the tick of an answer is when it was given. On the axis `rows` there is no time: the n-th answer of
the log, whichever version gave it, has tick n, counted from 0.
"""

import math
from collections.abc import Callable, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from setpoint.adapters.bundle_scorer import BundleScorer
from setpoint.adapters.log.chunk_log import ChunkLog
from setpoint.adapters.log.logged_scores import cut_scored, scored_of
from setpoint.adapters.log.shadow_evidence import evidence_of, nothing_said
from setpoint.adapters.log.shadow_log import ShadowLog
from setpoint.clock import Axis
from setpoint.errors import DataError
from setpoint.facts.answers import Answers, Scored
from setpoint.facts.evidence import Bools, Floats, Ints, Scores
from setpoint.facts.release import ArmCounts
from setpoint.facts.shadow import ShadowEvidence
from setpoint.facts.training import Feature
from setpoint.training.model import Form

_ARROW = {"int": pa.int64(), "float": pa.float64(), "bool": pa.bool_()}  # all others are text
_FEATURE = "feature."


class LogTraffic:
    """The answers of the gateways and of batch scoring.

    Args:
        log: The prediction log.
        scorer: Knows the features and the classes of each version.
        artifact_of: Returns the artifact digest of a version.
        axis: What the contract's ticks count: `time`, or `rows` where it has no time column.
        shadows: Returns the shadows' log, or None where there is none yet.
    """

    def __init__(
        self,
        log: ChunkLog,
        scorer: BundleScorer,
        artifact_of: Callable[[int], str],
        *,
        axis: Axis,
        shadows: Callable[[], ChunkLog | None] = lambda: None,
    ) -> None:
        self._log = log
        self._shadows = ShadowLog(log, shadows)
        self._scorer = scorer
        self._artifact_of = artifact_of
        self._axis = axis

    def answers(self, version: int, start: float, end: float) -> Answers:
        """Return what `version` answered in [start, end), with the outcomes known by now; may have no rows.

        The probability is there for a binary task, where the log has that of the positive class.

        Raises:
            JournalError: The log cannot be read.
            BundleError: The version's bundle is missing or altered.
            DataError: The log holds inputs that are not of the version's kinds.
        """
        found, at = self._read(version, start, end)
        form = self._scorer.model(self._artifact_of(version)).form
        answered = pc.equal(found["error"], "")
        failed = found.num_rows - int(pc.sum(answered).as_py() or 0)
        found, at = found.filter(answered), at[answered.to_numpy()]
        label, value, known = _truth(found["outcome"], form)
        withheld = self._log.withheld(version, set(found["generation"].unique().to_pylist()))
        withheld = {one.name: withheld[one.name] for one in form.features if one.name in withheld}
        return Answers(
            version=version,
            start=start,
            end=end,
            table=pa.table(
                {
                    one.name: _feature(found, one)
                    for one in form.features
                    if one.name not in withheld
                }
            ),
            at=at,
            scores=_scores(found, form),
            classes=form.classes,
            truth_label=label,
            truth_value=value,
            known=known,
            failed=failed,
            withheld=withheld,
        )

    def scored(self, version: int, stretches: Sequence[tuple[float, float]]) -> tuple[Scored, ...]:
        """Return what `version` answered in each stretch [start, end), without the inputs; the log is read once.

        Raises:
            JournalError: The log cannot be read.
            BundleError: The version's bundle is missing or altered.
            DataError: The log holds a text where the version answers numbers.
        """
        if not stretches:
            return ()
        first, last = min(start for start, _ in stretches), max(end for _, end in stretches)
        if self._axis == "time":
            found = self._log.scored(first, last, version=version)
        else:
            found = self._log.scored_stretch(*_positions(first, last), version=version)
        form = self._scorer.model(self._artifact_of(version)).form
        every = scored_of(found, form, version, first, last)
        return tuple(cut_scored(every, start, end) for start, end in stretches)

    def arms(
        self, generation: int, slow_s: Sequence[float] = (), *, scale: float = 1.0
    ) -> dict[int, ArmCounts]:
        """Return counts by version over answers given under deployment `generation` or later.

        Args:
            generation: Generation of the deployment document.
            slow_s: Limits in seconds; `slow` has the count of each.
            scale: Absolute error that counts as a loss of 1, above 0; larger ones count the same. For numbers only.

        Raises:
            JournalError: The log cannot be read.
        """
        return self._log.arms(generation=generation, slow_s=slow_s, scale=scale)

    def shadowed(
        self,
        version: int,
        start: float,
        end: float,
        *,
        generation: int = 0,
        slow_s: Sequence[float] = (),
        scale: float = 1.0,
    ) -> ShadowEvidence:
        """Return what `version` answered as a shadow to rows of [start, end), beside the live answers to them.

        Where it was asked nothing, its bundle is not opened.

        Args:
            version: The shadow.
            start: First tick, by when the live answer was given.
            end: Tick after the last.
            generation: Generation of the deployment document; copies made under earlier ones are left out.
            slow_s: Limits in seconds; `slow` has the count of each.
            scale: Absolute error that counts as a loss of 1, above 0; larger ones count the same. For numbers only.

        Raises:
            JournalError: The log cannot be read.
            BundleError: The version's bundle is missing or altered.
            DataError: The log holds a text where the version answers numbers.
        """
        by_row = self._axis == "rows"
        pairs = self._shadows.pairs(version, start, end, generation=generation, by_row=by_row)
        if (
            not pairs.num_rows
        ):  # a version that nobody can load is asked nothing: its bundle is not opened
            return nothing_said(version, start, end, slow_s)
        form = self._scorer.model(self._artifact_of(version)).form
        live = pairs["live_version"].drop_null().unique().to_pylist()
        forms = [self._scorer.model(self._artifact_of(one)).form for one in live]
        if any(one.classes != form.classes for one in forms):  # chances of different things
            pairs = pairs.set_column(*_column_of_nothing(pairs, "live_probability"))
        answered = pairs.filter(pc.equal(pairs["error"], ""))
        told = cut_scored(scored_of(answered, form, version, start, end), start, end)
        return evidence_of(pairs, told, form.task, slow_s=slow_s, scale=scale)

    def reach(self) -> tuple[float, float]:
        """Return the tick of the first answer and the tick after the last; (0, 0) before the first.

        Raises:
            JournalError: The log cannot be read.
        """
        first, last, count = self._log.span()
        if self._axis == "rows":
            return 0.0, float(count)
        return (first, float(np.nextafter(last, np.inf))) if count else (0.0, 0.0)

    def _read(self, version: int, start: float, end: float) -> tuple[pa.Table, Floats]:
        """Return the log's rows of a stretch of the axis, and their ticks."""
        if self._axis == "time":
            found = self._log.window(start, end, version=version)
            return found, found["at"].to_numpy()
        found = self._log.stretch(*_positions(start, end), version=version)
        return found, found["position"].to_numpy().astype(np.float64)


def _column_of_nothing(table: pa.Table, name: str) -> tuple[int, str, pa.Array]:
    """Return a column of nulls, and its place."""
    place = table.column_names.index(name)
    return place, name, pa.nulls(table.num_rows, table.schema.field(place).type)


def _positions(start: float, end: float) -> tuple[int, int]:
    """Return the positions of the log that lie in [start, end): the first, and the one after the last."""
    first = max(0, math.ceil(start))
    return first, max(first, math.ceil(end))


def _feature(found: pa.Table, feature: Feature) -> pa.ChunkedArray:
    """Return a feature of the log, which keeps numbers as float64, as its kind has it in training."""
    wanted = _ARROW.get(feature.kind, pa.string())
    name = _FEATURE + feature.name
    if name not in found.column_names:
        return pa.chunked_array([pa.nulls(found.num_rows, wanted)])
    column = found[name]
    if pa.types.is_floating(column.type) and pa.types.is_boolean(wanted):
        column = column.cast(pa.int8())
    try:
        return column.cast(wanted)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        msg = f"the log holds {feature.name!r} as {column.type}, which does not read as {feature.kind}: {error}"
        raise DataError(msg) from error


def _scores(found: pa.Table, form: Form) -> Scores:
    count = found.num_rows
    if not form.classes:
        value = found["prediction"].cast(pa.float64()).to_numpy()
        return Scores(np.empty(0, dtype=np.int64), np.empty((count, 0)), value)
    probability = found["probability"].to_numpy()
    has_any = form.task == "binary" and count > 0 and bool(np.isfinite(probability).all())
    return Scores(
        label=_codes(found["prediction"], form.classes),
        probability=np.column_stack([1.0 - probability, probability])
        if has_any
        else np.empty((count, 0)),
        value=np.empty(0),
    )


def _truth(outcome: pa.ChunkedArray, form: Form) -> tuple[Ints, Floats, Bools]:
    """Return class codes, values, and which are known; an outcome that is no class of the version is not known."""
    if not form.classes:
        value = outcome.cast(pa.float64()).to_numpy()
        return np.empty(0, dtype=np.int64), value, np.isfinite(value)
    label = _codes(outcome, form.classes)
    return label, np.empty(0), label >= 0


def _codes(column: pa.ChunkedArray, classes: tuple[str, ...]) -> Ints:
    """Return class codes, -1 for what is no class or missing, shape (n,)."""
    codes = pc.index_in(column.cast(pa.string()), value_set=pa.array(classes, pa.string()))
    return np.asarray(pc.fill_null(codes, -1).to_numpy(), dtype=np.int64)
