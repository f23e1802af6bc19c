"""Puts bundles, files and the prediction log together: what `setpoint score` calls.

Each part of the rows is in the log before it is on disk, under ids that follow from the row and from what was drawn
when the scoring began. So whoever is stopped in the midst goes on from the last whole part: what the log has of the
part that was under way is answered again, under the same ids, which the log knows already.
"""

import os
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import msgspec
import pyarrow as pa

from setpoint import __version__
from setpoint.adapters.log.chunk_log import ChunkLog
from setpoint.adapters.part_folder import Job, PartFolder
from setpoint.adapters.row_stream import Piece, RowStream
from setpoint.batch.answering import Answered, Answering
from setpoint.batch.model import BatchModel
from setpoint.batch.row_ids import RowIds
from setpoint.clock import Clock, SystemClock
from setpoint.control.queries import require_state
from setpoint.errors import DataError, UsageError
from setpoint.gateway.serving import Serving
from setpoint.wiring.batch_serving import asked_versions, batch_serving
from setpoint.wiring.log_place import open_log, place_of
from setpoint.wiring.offline import Offline

PART = 20_000
"""Rows of one transaction of the log, and of one part of the answers; fewer where they have many columns."""

ADDED = ("prediction", "probability", "version", "prediction_id", "error")
"""Columns that the answers add to the rows."""

_SEED = 16  # bytes
_CELLS = 2_000_000  # of one part, so that its memory is bounded too
_FEWEST = 500  # rows of one part


@dataclass(frozen=True)
class ScoreWish:
    """What a person asks for.

    Args:
        rows: Rows: a file, a folder or a glob.
        out: File of the answers.
        version: Version that answers all rows; None: those that gateways answer with, at their shares.
        log: Whether the answers are logged, where the deployment keeps a log.
        strict: Whether the first row without an answer ends it.
        restart: Whether what was begun and not finished is forgotten.
        part: Rows at a time; None: `PART`, or as many as have two million cells.
        threads: Parts of a batch that a model answers beside each other.
        clock: Stamps the answers.
        entropy: Returns this many random bytes, for the ids of the answers.
        progress: Told the rows that are answered, and the share of all rows that this is.
    """

    rows: str
    out: Path
    version: int | None = None
    log: bool = True
    strict: bool = False
    restart: bool = False
    part: int | None = None
    threads: int = field(default_factory=lambda: os.cpu_count() or 1)
    clock: Clock = field(default_factory=SystemClock)
    entropy: Callable[[int], bytes] = os.urandom
    progress: Callable[[int, float], None] = lambda *_: None


@dataclass(frozen=True)
class Scored:
    """What came of it.

    Args:
        rows: Rows in all.
        scored: Rows with an answer.
        refused: Rows that break a rule of the contract.
        failed: Rows that the model failed on.
        first_error: Why the first of these has no answer.
        versions: Rows by the version that answered them.
        logged: Answers that the prediction log was given.
        resumed: Rows that were answered before, by a scoring that was stopped.
        seconds: How long this took.
        steady: Whether the answers are those of single requests to the last bit; see `setpoint.training.together`.
        output: File of the answers.
    """

    rows: int
    scored: int
    refused: int
    failed: int
    first_error: str
    versions: dict[int, int]
    logged: int
    resumed: int
    seconds: float
    steady: bool
    output: Path


class _Note(msgspec.Struct, kw_only=True):
    """What came of one part."""

    rows: int
    refused: int
    failed: int
    first_error: str
    versions: dict[str, int]
    logged: int


def score_file(wish: ScoreWish, offline: Offline) -> Scored:
    """Answer the rows of files, log the answers, and write them beside the rows; go on where this was stopped before.

    The file appears when it is whole, and is the same to the byte however often its making was stopped.

    Raises:
        UsageError: Nothing was released yet, there is no such version, a file is misnamed or cannot be written, or what
            was begun before was made of something else.
        DataError: The rows cannot be read, or lack an input; or a row got no answer where every row must have one.
        BundleError: A bundle is missing or altered.
        JournalError: State or log cannot be read or written.
    """
    started = wish.clock.stopwatch()
    with ThreadPoolExecutor(wish.threads, thread_name_prefix="score") as pool:
        batch = _Batch(wish, offline, pool)
        with batch.parts.held():
            try:
                found = batch.run()
            finally:
                batch.leave()
    return replace(found, seconds=wish.clock.stopwatch() - started)


class _Batch:
    """One scoring."""

    def __init__(self, wish: ScoreWish, offline: Offline, pool: Executor) -> None:
        self.parts = PartFolder(wish.out)
        state = require_state(offline.journal)
        serving = batch_serving(offline, state, pool, pinned=wish.version, log=wish.log)
        data = offline.contract.require_data()
        self._wish = wish
        self._offline = offline
        self._pool = pool
        self._stream = RowStream(wish.rows, folder=Path.cwd(), form=data.format)
        self._require_apart()
        self._answering = Answering(
            serving,
            {
                number: BatchModel(one, pool)
                for number, one in asked_versions(serving, wish.version)
            },
            pinned=wish.version,
            form=data.format,
            stopwatch=wish.clock.stopwatch,
        )
        self._answering.require_columns(self._stream.schema.names)
        self._serving = serving
        self._answered = False
        columns = len(self._stream.schema)
        self._rows = wish.part or min(PART, max(_CELLS // columns, _FEWEST))
        self._schema = self._stream.schema
        for column in _added(serving):
            self._schema = self._schema.append(column)

    def run(self) -> Scored:
        """Answer what is not answered yet, and put everything together."""
        job = self._job()
        ids = RowIds(job.at, bytes.fromhex(job.seed))
        notes = [msgspec.convert(note, _Note) for note in self.parts.notes()]
        done = resumed = sum(note.rows for note in notes)
        self._answered = bool(resumed)
        self._wish.progress(resumed, 0.0)
        with self._opened_log() as log:
            for table, share in _ahead(self._stream.tables(self._rows, first=resumed), self._pool):
                notes.append(self._part(len(notes), table, ids, done, log))
                done += table.num_rows
                self._wish.progress(done, share)
        self.parts.finish(self._schema)
        return self._scored(notes, resumed)

    def leave(self) -> None:
        """Leave nothing behind of what answered no row."""
        if not self._answered:
            self.parts.drop()

    def _job(self) -> Job:
        """Return what is gone on with, or begun."""
        made_of = self._made_of()
        job = None if self._wish.restart else self.parts.begun(made_of)
        if job is None:
            seed = self._wish.entropy(_SEED).hex()
            job = Job(made_of=made_of, at=self._wish.clock.wall(), seed=seed)
            self.parts.begin(job)
        return job

    def _part(
        self, number: int, table: pa.Table, ids: RowIds, first: int, log: ChunkLog | None
    ) -> _Note:
        """Answer one part, log it, and write it."""
        named = ids.of(first, table.num_rows)
        at = self._wish.clock.wall()
        answered = self._answering.answer(table, named, at, logged=log is not None)
        if self._wish.strict:
            _require_all(answered, first)
        self._answered = True
        if log is not None:
            log.append(answered.predictions)
        note = _note(answered)
        added = (
            answered.prediction,
            answered.probability,
            answered.version,
            named,
            answered.error,
        )
        for column, values in zip(_added(self._serving), added, strict=True):
            table = table.append_column(column, pa.array(values, column.type))
        self.parts.add(number, table.cast(self._schema), msgspec.to_builtins(note))
        return note

    def _made_of(self) -> dict[str, str]:
        """Return whatever decides the answers, by what people call it."""
        serving, deployment = self._serving, self._serving.deployment
        found = {f"the input {path}": mark for path, mark in self._stream.marks().items()}
        pinned = self._wish.version
        shares = zip(serving.assignment.versions, serving.assignment.shares, strict=True)
        cut = ", ".join(f"{number} for {share:.4%} of rows" for number, share in shares)
        found["the version that answers"] = cut if pinned is None else f"{pinned} for all rows"
        if pinned is None and serving.only is None:
            found["the draw"] = f"{deployment.sticky} {deployment.salt}"
        for number, one in asked_versions(serving, pinned):
            found[f"the bundle of version {number}"] = one.artifact
        data = self._offline.contract.require_data()
        found["data.format of the contract"] = data.format.model_dump_json()
        found["the log"] = "off" if deployment.log == "off" else "on"
        found["the rows of a part"] = str(self._rows)
        found["setpoint"] = __version__
        return found

    def _require_apart(self) -> None:
        """Check that the answers do not come where the rows are read from."""
        out = self._wish.out
        names = self._stream.schema.names
        if taken := [name for name in ADDED if name in names]:
            msg = (
                f"{self._wish.rows} already has the columns {', '.join(taken)}; rename or drop them"
            )
            raise UsageError(msg)
        source = Path.cwd() / self._wish.rows
        beside = source.is_dir() and source.resolve() == out.parent.resolve()
        if beside or out in self._stream.files:
            msg = f"{out} would be read as rows the next time; write the answers elsewhere"
            raise UsageError(msg)

    @contextmanager
    def _opened_log(self) -> Iterator[ChunkLog | None]:
        """Give the prediction log, or None where none is kept."""
        if self._serving.deployment.log == "off":
            yield None
            return
        log = open_log(place_of(self._offline.settings))
        try:
            yield log
        finally:
            log.close()

    def _scored(self, notes: list[_Note], resumed: int) -> Scored:
        rows, refused, failed = (
            sum(getattr(note, name) for note in notes) for name in ("rows", "refused", "failed")
        )
        versions: Counter[int] = Counter()
        for note in notes:
            versions.update({int(number): count for number, count in note.versions.items()})
        asked = asked_versions(self._serving, self._wish.version)
        return Scored(
            rows=rows,
            scored=rows - refused - failed,
            refused=refused,
            failed=failed,
            first_error=next((note.first_error for note in notes if note.first_error), ""),
            versions=dict(sorted(versions.items())),
            logged=sum(note.logged for note in notes),
            resumed=resumed,
            seconds=0.0,
            steady=all(one.schema.document.together for _, one in asked),
            output=self._wish.out,
        )


def _ahead(tables: Iterator[Piece], pool: Executor) -> Iterator[Piece]:
    """Return tables of which the next one is read while one is answered."""
    coming = pool.submit(next, tables, None)
    while (table := coming.result()) is not None:
        coming = pool.submit(next, tables, None)
        yield table


def _added(serving: Serving) -> pa.Schema:
    """Return the columns that the answers add."""
    kind = pa.string() if serving.champion.schema.classes else pa.float64()
    kinds = (kind, pa.float64(), pa.int64(), pa.string(), pa.string())
    return pa.schema(list(zip(ADDED, kinds, strict=True)))


def _note(answered: Answered) -> _Note:
    kept = [error is None for error in answered.error]
    versions = Counter(answered.version[kept].tolist())
    return _Note(
        rows=len(answered.error),
        refused=answered.refused,
        failed=answered.failed,
        first_error=next((error for error in answered.error if error is not None), ""),
        versions={str(number): count for number, count in versions.items()},
        logged=len(answered.predictions),
    )


def _require_all(answered: Answered, first: int) -> None:
    """Check that every row of a part has an answer.

    Raises:
        DataError: One has none.
    """
    for row, error in enumerate(answered.error, start=first + 1):
        if error is not None:
            msg = (
                f"row {row:,} gets no answer: {error}. The rows of the parts before it are answered; "
                "without --strict the others go on, each with its error"
            )
            raise DataError(msg)
