"""The tables of a prediction log in PostgreSQL, for any number of gateways on any number of machines.

Rules:
1. What was acknowledged is on the server's disk: a commit waits for its write-ahead log, and for replicas where the
   server says so. Where a wait for replicas was cut short, nothing is acknowledged.
2. Writers take turns, so that positions follow the order of the commits: whoever has read up to a position has seen all
   before it. A turn lasts as long as a commit, of however many answers.
3. A lost connection is an error for those who wait, at once. The next who asks opens it again, after pauses that grow
   to five seconds: a database that is down is not hammered, and nobody waits for it in vain.
4. Reads have a connection of their own, and no turn.
"""

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

import psycopg

from setpoint.adapters.log.answer_chunk import Chunk, as_class
from setpoint.adapters.log.postgres_tables import LAYOUT, LOSSES, TABLES
from setpoint.adapters.log.secret import new_salt
from setpoint.adapters.log.store import APPEND, Judged, Statements, line_of
from setpoint.adapters.postgres_address import Address
from setpoint.adapters.postgres_link import Connection, PostgresLink, connect, say
from setpoint.clock import Clock
from setpoint.errors import JournalError
from setpoint.facts.prediction import Answerer

_PATIENCE = "15s"  # for a turn, and for what is done in it
_TABLE = b"""
SELECT 1 FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = %(schema)s AND c.relname = 'layout'
"""
_OTHER = "SELECT model FROM answerers WHERE model <> :model LIMIT 1"
_KNOWN = "SELECT prediction, text, number FROM outcomes WHERE prediction = ANY(:predictions)"
_MAKE_SALT = "INSERT INTO secrets (salt) VALUES (:salt) ON CONFLICT DO NOTHING"
_APPEND = f"{APPEND} RETURNING position"
_TELL = """
INSERT INTO outcomes (prediction, text, number, at, answerer, drawn, wrong, distance)
VALUES (:prediction, :text, :number, :at, :answerer, :drawn, :wrong, :distance)
"""


class PostgresStore:
    """Two connections to a database; a `setpoint.adapters.log.store.LogStore`. Nothing is opened before the first use.

    Args:
        address: The database; tables are made where they are missing.
        clock: For the pauses between attempts to connect.
    """

    losses = LOSSES

    def __init__(self, address: Address, clock: Clock) -> None:
        self.name = address.shown
        self._address = address
        self._turn = _lock_of(address.schema)
        self._writer = PostgresLink(address, clock, self._prepare)
        self._reader = PostgresLink(address, clock, self._prepare)
        place = f'SET LOCAL search_path TO "{address.schema}"'
        self._begin_writing = (
            # A snapshot from before the turn would not show what the writer before has written.
            "BEGIN ISOLATION LEVEL READ COMMITTED",
            place,
            f"SET LOCAL statement_timeout TO '{_PATIENCE}'",
            # A server may be told to acknowledge before anything is on disk; not by this log.
            (
                "SELECT set_config('synchronous_commit', 'on', true) "
                "WHERE current_setting('synchronous_commit') = 'off'"
            ),
            f"SELECT pg_advisory_xact_lock({self._turn})",
        )
        self._begin_reading = ("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", place)

    @contextmanager
    def writing(self) -> Iterator[Statements]:
        """Wait for a turn; commit at the end, or roll back and translate the error.

        Raises:
            JournalError: The log cannot be written. Where the connection was lost in the very moment of the commit, it
                may have been: writing the same again finds that out.
        """
        verb = f"write the prediction log {self.name}"
        with self._writer.transaction(self._begin_writing, verb) as connection:
            yield connection

    def append(self, chunk: Chunk, answerer: int) -> bool:
        """Append a chunk in a transaction of its own, in one round trip; see `LogStore.append`."""
        with self.writing() as connection:
            appended = connection.execute(_APPEND, line_of(chunk, answerer))
        return bool(appended.fetchall())

    @contextmanager
    def reading(self) -> Iterator[Statements]:
        """Read one consistent state of the log.

        Raises:
            JournalError: The log cannot be read.
        """
        verb = f"read the prediction log {self.name}"
        with self._reader.transaction(self._begin_reading, verb) as connection:
            yield connection

    @contextmanager
    def alone(self) -> Iterator[bool]:
        """Give whether no other process moves or removes answers; none begins to until this is left.

        The lock is held by a transaction on a connection of its own, and goes with it.

        Raises:
            JournalError: That cannot be told.
        """
        try:
            connection = connect(self._address)
            connection.execute(b"BEGIN; SET LOCAL idle_in_transaction_session_timeout TO 0")
            asked = f"SELECT pg_try_advisory_xact_lock({self._turn + 1})"
            found = connection.execute(asked.encode()).fetchone()
        except psycopg.Error as error:
            msg = f"cannot lock the prediction log {self.name}: {say(error)}"
            raise JournalError(msg) from error
        try:
            yield bool(found and found[0])
        finally:
            with suppress(psycopg.Error):
                connection.execute(
                    b"ROLLBACK"
                )  # who comes next need not wait for the server to notice
            connection.close()

    def claim(self, connection: Statements, by: Answerer) -> None:
        """Check that the log has no answers of another model: positions and versions would be of both.

        Raises:
            JournalError: It has.
        """
        other = connection.execute(_OTHER, {"model": by.model}).fetchone()
        if other is not None:
            msg = (
                f"the prediction log {self.name} has answers of {other[0]}, these are of {by.model}: give each model a "
                "log of its own, by ?schema=name at the end of its address"
            )
            raise JournalError(msg)

    def known(self, connection: Statements, predictions: Sequence[str]) -> dict[str, str | float]:
        """Return the outcomes that are known of predictions."""
        found = connection.execute(_KNOWN, {"predictions": list(predictions)})
        return {one: number if text is None else text for one, text, number in found}

    def tell(self, connection: Statements, outcomes: Sequence[Judged]) -> None:
        """Insert outcomes that are not known."""
        connection.executemany(_TELL, [_line(one) for one in outcomes])

    def salt(self) -> str:
        """Return the salt of the log, as hexadecimal text; it is made where it is missing.

        Raises:
            JournalError: It can be neither read nor made.
        """
        with self.writing() as connection:
            connection.execute(_MAKE_SALT, {"salt": new_salt()})
            (salt,) = connection.execute("SELECT salt FROM secrets").fetchone()
            return str(salt)

    def checkpoint(self) -> None:
        """Do nothing: the server does that."""

    def scrub(self) -> str:
        """Have the server write the tables anew without what was deleted; writers wait meanwhile.

        Its write-ahead log, replicas and backups are its administrators' to clear.

        Raises:
            JournalError: It does not.
        """
        try:
            with connect(self._address) as connection:
                for table in ("chunks", "outcomes"):
                    place = f'"{self._address.schema}".{table}'
                    connection.execute(f"VACUUM (FULL) {place}".encode())
        except psycopg.Error as error:
            msg = f"cannot clear the prediction log {self.name}: {say(error)}"
            raise JournalError(msg) from error
        return ""

    def close(self) -> None:
        """Close the connections."""
        self._writer.close()
        self._reader.close()

    def _prepare(self, connection: Connection) -> None:
        """Make the tables where they are missing.

        Raises:
            JournalError: They are of a layout that this version does not know.
        """
        schema = self._address.schema
        found = _layout(connection, schema)
        if found is None:
            turn = f"SELECT pg_advisory_xact_lock({self._turn})"
            connection.execute(f"BEGIN ISOLATION LEVEL READ COMMITTED; {turn}".encode())
            found = _layout(connection, schema)
            if found is None:
                connection.execute(f'CREATE SCHEMA IF NOT EXISTS "{schema}"'.encode())
                connection.execute(f'SET LOCAL search_path TO "{schema}"'.encode())
                connection.execute(TABLES.encode())
                found = LAYOUT
            connection.execute(b"COMMIT")
        if found != LAYOUT:
            msg = f"{self.name} has layout {found}; this version of setpoint knows layout {LAYOUT}"
            raise JournalError(msg)


def _layout(connection: Connection, schema: str) -> int | None:
    """Return the layout of a schema's tables; None where there are none."""
    if connection.execute(_TABLE, {"schema": schema}).fetchone() is None:
        return None
    found = connection.execute(f'SELECT number FROM "{schema}".layout'.encode()).fetchone()  # noqa: S608 (a name of letters)
    return None if found is None else int(found[0])


def _lock_of(schema: str) -> int:
    """Return the number of the lock that writers of a schema take; the next number is that of who moves answers."""
    told = hashlib.sha256(f"setpoint log {schema}".encode()).digest()
    return int.from_bytes(told[:8], "big", signed=True) // 2 * 2


def _line(one: Judged) -> dict[str, Any]:
    """Return an outcome as the table has it, with how far the answer is from it: what a loss is made of."""
    value, answer = one.value, one.answer
    has_text = isinstance(value, str)
    wrong = distance = None
    if isinstance(answer, str):
        wrong = float(answer != as_class(value))
    elif answer is not None and not has_text:
        distance = abs(float(answer) - float(value))
    return {
        "prediction": one.prediction,
        "text": value if has_text else None,
        "number": None if has_text else float(value),
        "at": one.at,
        "answerer": one.answerer,
        "drawn": one.drawn,
        "wrong": wrong,
        "distance": distance,
    }
