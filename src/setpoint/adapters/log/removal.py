"""What removing answers from a log has in common, whether they are old or about somebody.

It may die between any two lines: what is removed is gone for readers in one transaction, and bytes that are left over
go the next time. The log remembers that there were answers: positions go on behind them.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

from setpoint.adapters.log.answer_file import read_answers
from setpoint.adapters.log.hour_files import HourFiles
from setpoint.adapters.log.reader import LogReader
from setpoint.adapters.log.store import LogStore, Statements, Stretch
from setpoint.errors import JournalError

EVERYTHING = Stretch("at", float("-inf"), float("inf"))

_FORGET = "DELETE FROM outcomes WHERE prediction = :prediction"
# What lies in a file as well must not come back into sight when the file is not listed any more.
_COVERED = """
DELETE FROM chunks WHERE hour = :hour AND position <= :last_position
AND answerer IN (SELECT number FROM answerers WHERE model = :model)
"""
_UNLIST = ("DELETE FROM filed WHERE file = :number", "DELETE FROM files WHERE number = :number")
_NOTE = """
INSERT INTO removed (at, why, answers, outcomes, last_position, last_at)
VALUES (:at, :why, :answers, :outcomes, :last_position, :last_at)
"""


class Removed(NamedTuple):
    """What was removed.

    Args:
        answers: Answers.
        outcomes: Their outcomes.
        files: Files that were removed, or written anew without some answers.
        size: Bytes that files take less.
    """

    answers: int = 0
    outcomes: int = 0
    files: int = 0
    size: int = 0

    def plus(self, other: "Removed") -> "Removed":
        """Return what both removed."""
        return Removed(*(one + more for one, more in zip(self, other, strict=True)))


class Listed(NamedTuple):
    """A file as the tables list it."""

    number: int
    model: str
    hour: int
    name: str
    rows: int
    size: int
    last_position: int
    last_at: float


class Log(NamedTuple):
    """What answers are removed from.

    Args:
        store: The log's tables.
        files: The Parquet files; None where there are none.
        reader: Reads them.
        reached: Told each step that is done, for tests that cut there.
    """

    store: LogStore
    files: HourFiles | None
    reader: LogReader
    reached: Callable[[str], None] = lambda _: None

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Keep others from moving or removing answers.

        Raises:
            JournalError: Another process does it now.
        """
        with self.store.alone() as alone:
            if not alone:
                msg = (
                    f"another process moves or removes answers of the prediction log {self.store.name} just now; "
                    "try again when it is done"
                )
                raise JournalError(msg)
            yield

    def ids_of(self, name: str) -> list[str]:
        """Return the ids of the answers in a file.

        Raises:
            JournalError: It cannot be read.
        """
        table = read_answers(self.reader.file(name), ("id",), EVERYTHING, inputs=False)
        ids: list[str] = table["id"].to_pylist()
        return ids

    def left(self) -> list[str]:
        """Return the names of files that nobody lists: of a removal that was killed, or of a compaction.

        Raises:
            JournalError: They cannot be listed.
        """
        if self.files is None:
            return []
        try:
            there = self.files.names()
        except OSError as error:
            msg = f"the files of the prediction log in {self.files.where} cannot be listed: {error}"
            raise JournalError(msg) from error
        with self.store.reading() as connection:
            listed = {name for (name,) in connection.execute("SELECT name FROM files")}
        return [name for name in there if name not in listed]

    def delete_files(self, names: Sequence[str]) -> None:
        """Remove files for good.

        Raises:
            JournalError: One cannot be removed.
        """
        if self.files is None:
            return
        try:
            self.files.remove(names)
        except OSError as error:
            msg = f"files of the prediction log cannot be removed, the next attempt tries again: {error}"
            raise JournalError(msg) from error


def delete_outcomes(store: LogStore, connection: Statements, ids: Sequence[str]) -> int:
    """Delete the outcomes of answers, and return how many there were."""
    known = [{"prediction": one} for one in store.known(connection, ids)] if ids else []
    if known:
        connection.executemany(_FORGET, known)
    return len(known)


def uncover(connection: Statements, file: Listed) -> None:
    """Delete the bytes of chunks that were moved into the files of an hour, up to one of them."""
    connection.execute(_COVERED, file._asdict())


def unlist(connection: Statements, file: Listed) -> None:
    """Take a file from the list."""
    for statement in _UNLIST:
        connection.execute(statement, {"number": file.number})


def note(connection: Statements, removed: dict[str, Any]) -> None:
    """Note what is removed: `at`, `why`, `answers`, `outcomes`, `last_position`, `last_at`."""
    connection.execute(_NOTE, removed)
