"""A log whose answers an object store acknowledges: gateways put them there, whoever reads takes them into the tables.

Rules:
1. An answer is safe once its object is stored. Its object is removed when its answers lie in a Parquet file of the same
   store, so that tables which are lost with their machine take no answer with them. Tables that are as safe as the
   object store are enough, and few objects wait then.
2. An object is taken in once: its name is noted in the transaction that appends its answers, which are each appended
   once whatever else holds them. So it may die between any two steps, and several may take in at once.
3. Positions, outcomes and the list of files are the tables': who adds answers needs none of them.
"""

import math
import threading
from collections.abc import Collection, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager

from setpoint.adapters.log.answer_chunk import Chunk, pack
from setpoint.adapters.log.answer_spool import AnswerSpool
from setpoint.adapters.log.appending import Appending
from setpoint.adapters.log.chunk_log import ChunkLog
from setpoint.adapters.log.compaction import Compacted
from setpoint.adapters.log.forgetting import Forgetting
from setpoint.adapters.log.hour_files import HourFiles
from setpoint.adapters.log.reader import LogReader
from setpoint.adapters.log.store import Judged, LogStore, Statements
from setpoint.clock import Clock
from setpoint.errors import JournalError, UnknownPredictionError
from setpoint.facts.prediction import Answerer, Outcome, Prediction

_EVERY_S = 0.5  # readers in a row look once: each look lists objects
_RECENT_S = 120.0  # how far back most looks go
_ALL_EVERY_S = (
    60.0  # how often one looks at all: a gateway may have been cut off from the store for a while
)
_BATCH = 64  # objects of one transaction
_TAKEN = "SELECT name FROM taken"
_TAKE = "INSERT INTO taken VALUES (:name, :first_position, :last_position)"
_FILED = """
SELECT name FROM taken t WHERE NOT EXISTS (
    SELECT 1 FROM fresh f WHERE f.position < t.last_position AND f.position + f.rows > t.first_position
)
"""
_DROP = "DELETE FROM taken WHERE name = :name"


class SpooledStore:
    """Tables that take in what waits in an object store before they are read; a `log_store.LogStore`.

    Args:
        store: The tables.
        files: The Parquet files of past hours.
        spool: What waits.
        clock: For how long a look is good.
        safe: Whether the tables are as safe as the object store.
    """

    def __init__(
        self,
        store: LogStore,
        files: HourFiles,
        spool: AnswerSpool,
        clock: Clock,
        *,
        safe: bool = False,
    ) -> None:
        self.name = store.name
        self.losses = store.losses
        self._store = store
        self._spool = spool
        self._clock = clock
        self._appending = Appending(store, LogReader(store, files))
        self._lock = threading.Lock()
        self._safe = safe
        self._looked_at = self._looked_at_all = -math.inf

    def writing(self) -> AbstractContextManager[Statements]:
        """Hold the write lock of the tables; see `LogStore.writing`."""
        return self._store.writing()

    def append(self, chunk: Chunk, answerer: int) -> bool:
        """Append a chunk to the tables in a transaction of its own; see `LogStore.append`."""
        return self._store.append(chunk, answerer)

    @contextmanager
    def reading(self) -> Iterator[Statements]:
        """Read one consistent state of the log, with what waited a moment ago.

        Raises:
            JournalError: The log cannot be read.
        """
        now = self._clock.stopwatch()
        if now - self._looked_at >= _EVERY_S:
            recent = now - self._looked_at_all < _ALL_EVERY_S
            self.take_in(self._clock.wall() - _RECENT_S if recent else None)
        with self._store.reading() as connection:
            yield connection

    def alone(self) -> AbstractContextManager[bool]:
        """Give whether no other process moves or removes answers; see `LogStore.alone`."""
        return self._store.alone()

    def claim(self, connection: Statements, by: Answerer) -> None:
        """Check that somebody may have answers in the tables; see `LogStore.claim`."""
        self._store.claim(connection, by)

    def known(self, connection: Statements, predictions: Sequence[str]) -> dict[str, str | float]:
        """Return the outcomes that are known of predictions."""
        return self._store.known(connection, predictions)

    def tell(self, connection: Statements, outcomes: Sequence[Judged]) -> None:
        """Insert outcomes that are not known."""
        self._store.tell(connection, outcomes)

    def checkpoint(self) -> None:
        """Do what can wait; see `LogStore.checkpoint`."""
        self._store.checkpoint()

    def scrub(self) -> str:
        """Have the bytes of what was deleted gone as well; see `LogStore.scrub`."""
        return self._store.scrub()

    def close(self) -> None:
        """Let go of the tables."""
        self._store.close()

    def take_in(self, since: float | None = None) -> None:
        """Append the answers that wait to the tables.

        Args:
            since: Only of groups that began then or later; None means all.

        Raises:
            JournalError: The store cannot be read, or the tables not written. What was taken in stays.
        """
        with self._lock:
            waiting = self._spool.waiting(since)
            with self._store.reading() as connection:
                taken = {name for (name,) in connection.execute(_TAKEN)}
            new = [name for name in waiting if name not in taken]
            for start in range(0, len(new), _BATCH):
                self._take(new[start : start + _BATCH])
            self._looked_at = self._clock.stopwatch()
            if since is None:
                self._looked_at_all = self._looked_at
        if new and self._safe:
            self.clear()

    def clear(self) -> None:
        """Remove the objects whose answers are safe without them.

        Raises:
            JournalError: They cannot be removed.
        """
        with self._store.reading() as connection:
            asked = _TAKEN if self._safe else _FILED
            done = [name for (name,) in connection.execute(asked)]
        for start in range(0, len(done), _BATCH):
            some = done[start : start + _BATCH]
            self._spool.remove(some)
            with self._store.writing() as connection:
                connection.executemany(_DROP, [{"name": name} for name in some])

    def _take(self, names: Sequence[str]) -> None:
        groups = self._spool.read(names)
        numbers: dict[bytes, int] = {}
        with self._store.writing() as connection:
            taken = {name for (name,) in connection.execute(_TAKEN)}  # by another process meanwhile
            for name, chunks in zip(names, groups, strict=True):
                if name in taken or not chunks:
                    continue
                first, last = self._appending.append_within(connection, chunks, numbers)
                line = {"name": name, "first_position": first, "last_position": last}
                connection.execute(_TAKE, line)


class SpooledLog(ChunkLog):
    """A log whose answers an object store acknowledges; see `setpoint.adapters.log.chunk_log.ChunkLog`.

    Args:
        store: The tables.
        files: Where answers of past hours go, in the same object store.
        spool: Where answers are put first.
        clock: For how long a look into it is good.
        safe: Whether the tables are as safe as the object store.
    """

    def __init__(
        self,
        store: LogStore,
        files: HourFiles,
        spool: AnswerSpool,
        clock: Clock,
        *,
        safe: bool = False,
    ) -> None:
        self._spool = spool
        self._spooled = SpooledStore(store, files, spool, clock, safe=safe)
        self._is_clear = False
        super().__init__(self._spooled, files)

    def append(self, predictions: Sequence[Prediction]) -> None:
        """Store answers in one object.

        Raises:
            JournalError: The object store did not acknowledge it.
        """
        if predictions:
            self._spool.add(pack(predictions))

    def record(self, outcomes: Sequence[Outcome]) -> int:
        """Record outcomes, all or none; see `ChunkLog.record`."""
        try:
            return super().record(outcomes)
        except UnknownPredictionError:
            self._spooled.take_in()  # its answer may have come since the last look
            return super().record(outcomes)

    def of_keys(self, keys: Sequence[str]) -> dict[str, list[str]]:
        """Return the ids of the answers about each key, with those that came a moment ago; see `ChunkLog.of_keys`."""
        self._spooled.take_in()
        return super().of_keys(keys)

    def compact(
        self, now: float, *, everything: bool = False, most: int | None = None
    ) -> Compacted:
        """Move answers of hours that are over into Parquet files, and remove their objects; see `ChunkLog.compact`."""
        if everything:
            self._spooled.take_in()
        done = super().compact(now, everything=everything, most=most)
        if done.hours or not self._is_clear:  # another process may have died before it removed some
            self._spooled.clear()
            self._is_clear = True
        return done

    def forgetting(self, keys: Collection[str]) -> Forgetting:
        """Return what removes the answers about somebody; first all that waits is moved into files.

        Raises:
            JournalError: The log cannot be read or written.
        """
        self.compact(0.0, everything=True)
        return super().forgetting(keys)


class AnswersOnly:
    """The log of a gateway that has an object store and no tables: it adds answers, and leaves the rest to others.

    Args:
        spool: Where answers are put.
    """

    def __init__(self, spool: AnswerSpool) -> None:
        self._spool = spool

    def append(self, predictions: Sequence[Prediction]) -> None:
        """Store answers in one object, or raise `JournalError`."""
        if predictions:
            self._spool.add(pack(predictions))

    def record(self, outcomes: Sequence[Outcome]) -> int:
        """Record nothing.

        Raises:
            JournalError: There was something to record.
        """
        if outcomes:
            raise self._elsewhere()
        return 0

    def of_keys(self, keys: Sequence[str]) -> dict[str, list[str]]:  # noqa: ARG002 (whatever they are)
        """Find nothing.

        Raises:
            JournalError: Always.
        """
        raise self._elsewhere()

    def _elsewhere(self) -> JournalError:
        msg = (
            f"this gateway only adds answers to {self._spool.where}: tell outcomes where the log's tables are, by "
            "setpoint outcomes or at a gateway beside the loop, or give all one PostgreSQL by SETPOINT_DATABASE_URL"
        )
        return JournalError(msg)
