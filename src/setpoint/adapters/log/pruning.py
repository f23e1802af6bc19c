"""Removes answers of old hours: whole files and whole chunks, with the outcomes of their answers.

A file is taken from the list first, then the outcomes of its answers go, some at a time, so that no writer waits; its
bytes go last. So a file that nobody lists tells the next pruning which outcomes are left.
"""

import datetime as dt
import re
from collections.abc import Sequence

from setpoint.adapters.log.answer_chunk import HOUR_S, hour_of, unpack_ids
from setpoint.adapters.log.appending import Appending
from setpoint.adapters.log.removal import (
    Listed,
    Log,
    Removed,
    delete_outcomes,
    note,
    uncover,
    unlist,
)

_CHUNKS = 16  # of one transaction
_OUTCOMES = 1000  # of one transaction
_HOUR = re.compile(r"/date=(\d{4}-\d{2}-\d{2})/hour=(\d{2})/")

_COUNT = """
SELECT CAST(COALESCE(SUM(rows), 0) AS BIGINT) FROM (
    SELECT rows FROM fresh WHERE last_at < :before UNION ALL SELECT rows FROM files WHERE last_at < :before
) AS old
"""
_INSTANT = """
SELECT MIN(first_at) FROM (
    SELECT first_at FROM chunks WHERE position + rows > :position
    UNION ALL SELECT first_at FROM files WHERE last_position >= :position
) AS later
"""
_FILES = """
SELECT number, model, hour, name, rows, size, last_position, last_at FROM files WHERE last_at < :before
ORDER BY hour, first_position
"""
_OLD = """
SELECT position, rows, last_at, ids FROM fresh WHERE last_at < :before ORDER BY position LIMIT :most
"""
_DELETE = "DELETE FROM chunks WHERE position = :position"


class Pruning:
    """Removes what is old.

    Args:
        log: From what.
    """

    def __init__(self, log: Log) -> None:
        self._log = log

    def older(self, before: float) -> int:
        """Return how many answers lie in files and chunks that are older than an instant throughout.

        Raises:
            JournalError: The log cannot be read.
        """
        with self._log.store.reading() as connection:
            (count,) = connection.execute(_COUNT, {"before": before}).fetchone()
        return int(count)

    def instant_of(self, position: int) -> float | None:
        """Return the earliest instant of the answers at a position or later; None where there are none.

        Raises:
            JournalError: The log cannot be read.
        """
        with self._log.store.reading() as connection:
            (at,) = connection.execute(_INSTANT, {"position": position}).fetchone()
        return None if at is None else float(at)

    def prune(self, before: float, *, at: float) -> Removed:
        """Remove the files and chunks whose answers are all older than an instant.

        Args:
            before: The instant.
            at: The present, for the record.

        Raises:
            JournalError: The log cannot be read or written, or another process moves or removes answers. What was done
                stays done.
        """
        with self._log.alone():
            self._clear(before)
            with self._log.store.reading() as connection:
                found = connection.execute(_FILES, {"before": before})
                listed = [Listed(*line) for line in found]
            done = Removed()
            for file in listed:
                done = done.plus(self._remove_file(file, at))
            while some := self._remove_chunks(before, at):
                done = done.plus(some)
            return done

    def _remove_file(self, file: Listed, at: float) -> Removed:
        ids = self._log.ids_of(file.name)
        with self._log.store.writing() as connection:
            uncover(connection, file)
            unlist(connection, file)
            last = {"last_position": file.last_position, "last_at": file.last_at}
            note(connection, {"at": at, "why": "old", "answers": file.rows, "outcomes": 0, **last})
        self._log.reached("unlisted")
        outcomes = self._delete_outcomes(ids)
        self._log.reached("outcomes deleted")
        self._log.delete_files([file.name])
        self._log.reached("file deleted")
        return Removed(file.rows, outcomes, 1, file.size)

    def _remove_chunks(self, before: float, at: float) -> Removed | None:
        """Remove some of the old chunks; None where there are none left."""
        with self._log.store.reading() as connection:
            found = connection.execute(_OLD, {"before": before, "most": _CHUNKS}).fetchall()
        if not found:
            return None
        rows = sum(line[1] for line in found)
        with self._log.store.writing() as connection:
            connection.executemany(_DELETE, [{"position": line[0]} for line in found])
            outcomes = delete_outcomes(
                self._log.store, connection, [one for line in found for one in unpack_ids(line[3])]
            )
            last = {
                "last_position": max(line[0] + line[1] - 1 for line in found),
                "last_at": max(line[2] for line in found),
            }
            note(
                connection, {"at": at, "why": "old", "answers": rows, "outcomes": outcomes, **last}
            )
        self._log.reached("chunks deleted")
        return Removed(rows, outcomes)

    def _clear(self, before: float) -> None:
        """Remove files of old hours that nobody lists, with the outcomes of answers that are nowhere else."""
        appending = Appending(self._log.store, self._log.reader)
        for name in self._log.left():
            if not _is_before(name, before):
                continue
            ids = self._log.ids_of(name)
            if ids:
                with self._log.store.reading() as connection:
                    held = appending.held(connection, min(ids), max(ids))
                self._delete_outcomes([one for one in ids if one not in held])
            self._log.delete_files([name])

    def _delete_outcomes(self, ids: Sequence[str]) -> int:
        count = 0
        for start in range(0, len(ids), _OUTCOMES):
            with self._log.store.writing() as connection:
                count += delete_outcomes(
                    self._log.store, connection, ids[start : start + _OUTCOMES]
                )
        return count


def _is_before(name: str, before: float) -> bool:
    """Whether a file is of an hour that ends before an instant, by its name."""
    found = _HOUR.search(name)
    if found is None:
        return False
    start = dt.datetime.fromisoformat(f"{found[1]}T{found[2]}:00+00:00").timestamp()
    return hour_of(start) * HOUR_S + HOUR_S <= before
