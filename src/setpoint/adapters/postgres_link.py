"""One connection to PostgreSQL that is opened when it is needed, and again when it was lost."""

import re
import select
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

import psycopg
from psycopg.errors import Diagnostic

from setpoint.adapters.log.store import Lines, Statements
from setpoint.adapters.postgres_address import Address
from setpoint.clock import Clock
from setpoint.errors import JournalError

_CONNECT: Mapping[str, Any] = {  # what an address may say otherwise
    "connect_timeout": 5,
    "application_name": "setpoint",
    "keepalives_idle": 30,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 15_000,
}
_SHORTEST_S, _LONGEST_S = 0.1, 5.0  # between two attempts to connect
_VALUE = re.compile(r"(?<![:\w]):([a-z_]+)")

Connection = psycopg.Connection[tuple[Any, ...]]


class PostgresLink:
    """A connection. Safe to call from any thread; transactions of one object wait for each other.

    Args:
        address: The database.
        clock: For the pauses between attempts to connect.
        prepare: Called with each new connection.
    """

    def __init__(
        self, address: Address, clock: Clock, prepare: Callable[[Connection], None]
    ) -> None:
        self._address = address
        self._clock = clock
        self._prepare = prepare
        self._lock = threading.RLock()
        self._connection: Connection | None = None
        self._pause_s = 0.0
        self._not_before = 0.0
        self._failure = ""
        self._warnings: list[str] = []

    @contextmanager
    def transaction(self, begin: Sequence[str], verb: str) -> Iterator[Statements]:
        """Carry out a transaction; commit at the end, or roll back and translate the error.

        Statements leave together, up to one whose lines are asked for: most transactions go to the server twice.

        Args:
            begin: Statements that begin it.
            verb: What is done, for messages.

        Raises:
            JournalError: It cannot be done; or nobody knows, since the connection was lost in the commit.
        """
        with self._lock:
            try:
                connection = self._opened()
                self._warnings.clear()
                with connection.pipeline():
                    for statement in begin:
                        connection.execute(statement.encode())
                    yield _Named(connection)
                    ended = connection.execute(b"COMMIT")
                self._require_committed(ended.statusmessage)
            except psycopg.Error as error:
                msg = f"cannot {verb}: {say(error)}"
                raise JournalError(msg) from error
            finally:
                self._leave()

    def close(self) -> None:
        """Close the connection; the next transaction opens another."""
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    def _opened(self) -> Connection:
        """Return the connection.

        Raises:
            JournalError: It was tried a moment ago.
            psycopg.Error: It cannot be opened.
        """
        if self._connection is not None:
            if not self._connection.closed and not _has_word(self._connection):
                return self._connection
            self._connection.close()
            self._connection = None
        now = self._clock.stopwatch()
        if now < self._not_before:
            raise JournalError(self._failure)
        try:
            connection = connect(self._address)
            try:
                connection.add_notice_handler(self._note)
                self._prepare(connection)
            except BaseException:
                connection.close()
                raise
        except (psycopg.Error, JournalError) as error:
            self._pause_s = min(max(_SHORTEST_S, 2 * self._pause_s), _LONGEST_S)
            self._not_before = self._clock.stopwatch() + self._pause_s
            reason = say(error) if isinstance(error, psycopg.Error) else str(error)
            self._failure = f"cannot reach the prediction log {self._address.shown}: {reason}"
            raise JournalError(self._failure) from error
        self._pause_s = 0.0
        self._connection = connection
        return connection

    def _require_committed(self, done: str | None) -> None:
        """Check what the server made of a commit.

        Raises:
            JournalError: It did not, or only in part.
        """
        if done != "COMMIT":
            msg = f"{self._address.shown} answered COMMIT with {done}"
            raise JournalError(msg)
        if self._warnings:  # a wait for replicas was cut short: it may be on one machine only
            msg = f"{self._address.shown} did not commit everywhere: {self._warnings[-1]}"
            raise JournalError(msg)

    def _leave(self) -> None:
        """Leave no transaction open, and no connection that cannot be used."""
        connection = self._connection
        if connection is None:
            return
        try:
            if not connection.closed and connection.info.transaction_status != _IDLE:
                connection.execute("ROLLBACK")
        except psycopg.Error:
            connection.close()
        if connection.closed:
            self._connection = None

    def _note(self, told: Diagnostic) -> None:
        if told.severity_nonlocalized == "WARNING":
            self._warnings.append(told.message_primary or "")


_IDLE = psycopg.pq.TransactionStatus.IDLE


class _Named:
    """Takes statements with values by name, as `setpoint.adapters.log.store.Statements` has them."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def execute(self, statement: str, values: Mapping[str, Any] | None = None, /) -> Lines:
        """Carry out a statement."""
        return self._connection.execute(_translated(statement), values or {}, binary=True)

    def executemany(self, statement: str, values: Sequence[Mapping[str, Any]], /) -> object:
        """Carry out a statement for each of several sets of values, all of them in one go."""
        with self._connection.cursor() as cursor:
            cursor.executemany(_translated(statement), values)
        return None


def _has_word(connection: Connection) -> bool:
    """Whether a server that was asked nothing has something to say: in nearly all cases farewell."""
    poll = select.poll()
    poll.register(connection.fileno(), select.POLLIN)
    return bool(poll.poll(0))


def connect(address: Address) -> Connection:
    """Return a connection on which nothing is begun unasked.

    Statements are not prepared: a pooler between us may give each transaction another connection.
    """
    options = {**_CONNECT, **address.conninfo, "client_encoding": "utf8"}
    return psycopg.connect(**options, autocommit=True, prepare_threshold=None)


def say(error: psycopg.Error) -> str:
    """Return what a server or libpq says, on one line."""
    return " ".join(str(error).split()) or type(error).__name__


@lru_cache
def _translated(statement: str) -> bytes:
    """Return a statement with values as psycopg writes them: `:name` as `%(name)s`."""
    return _VALUE.sub(r"%(\1)s", statement.replace("%", "%%")).encode()
