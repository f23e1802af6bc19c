"""The journal in a SQL database: SQLite by default; the statements keep to what PostgreSQL also has.

Invariants: state, revision, head and ledger rows of a model change in one transaction or not at all; a commit holds the
database's write lock from its first statement on SQLite, and compares the revision in its `UPDATE` everywhere; ledger
rows are only ever inserted. One row names the schema's version: a store that a newer Setpoint wrote is refused. There
are no migrations yet, because there has been only one version.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    MetaData,
    String,
    Table,
    Text,
    create_engine,
    event,
    insert,
    select,
    update,
)
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, IntegrityError, NoSuchModuleError
from sqlalchemy.pool import NullPool

from setpoint.adapters.journal_text import read_event, read_state, write_event, write_state
from setpoint.adapters.memory_journal import seal_all
from setpoint.errors import JournalError, LedgerBrokenError, StaleStateError
from setpoint.facts.ledger import Entry, Event
from setpoint.facts.state import LoopState
from setpoint.ledger.chain import START

SCHEMA_VERSION = 1
_PAGE = 1000  # ledger rows read in one statement, so that a slow reader holds no lock

_TABLES = MetaData()
_SCHEMA = Table("setpoint_schema", _TABLES, Column("schema_version", BigInteger, nullable=False))
_STATE = Table(
    "setpoint_state",
    _TABLES,
    Column("model", String(255), primary_key=True),
    Column("revision", BigInteger, nullable=False),
    Column("head_sequence", BigInteger, nullable=False),
    Column("head_hash", String(64), nullable=False),
    Column("state", Text, nullable=False),
)
_LEDGER = Table(
    "setpoint_ledger",
    _TABLES,
    Column("model", String(255), primary_key=True),
    Column("sequence", BigInteger, primary_key=True, autoincrement=False),
    Column("previous", String(64), nullable=False),
    Column("hash", String(64), nullable=False),
    Column("event", Text, nullable=False),
)
# A guard against slips, not against somebody who owns the file: that is what the chain of hashes is for.
_POSTGRES = ("postgres", "postgresql")
_APPEND_ONLY = tuple(
    f"CREATE TRIGGER setpoint_ledger_no_{verb.lower()} BEFORE {verb} ON setpoint_ledger "
    "BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END"
    for verb in ("UPDATE", "DELETE")
)
# What a foreign error's text contains, and what to do about it; the first that matches.
_ADVICE = (
    (
        "locked",
        "another process holds it; wait for that process to end, or look for one that hangs",
    ),
    ("full", "the disk is full; free some space and run again, nothing was half-written"),
    ("not a database", "it is no SQLite database, or it is damaged; restore it from a backup"),
    ("malformed", "it is damaged; restore it from a backup"),
    ("readonly", "it may not be written; check the permissions of the file and its folder"),
    ("unable to open", "it cannot be opened; check that the folder exists and may be written"),
    ("disk i/o", "the disk failed or is full; check it and run again, nothing was half-written"),
)


def models_in(database: Path | str) -> tuple[str, ...]:
    """Return the names of the models whose states a database keeps, in order; none where there is no database.

    Args:
        database: File of a SQLite database, or an SQLAlchemy URL.

    Raises:
        JournalError: It cannot be read.
    """
    return SqlJournal(database, "").models()


class SqlJournal:
    """State and ledger of one model in a SQL database. Opening it touches nothing; the first use does.

    Args:
        database: File of a SQLite database, or an SQLAlchemy URL.
        model: Name of the model; one database keeps any number of models.
        busy_s: Longest time to wait for another process's transaction, in seconds (SQLite).

    Raises:
        JournalError: The URL cannot be understood, or its driver is not installed.
    """

    def __init__(self, database: Path | str, model: str, *, busy_s: float = 10.0) -> None:
        self._model = model
        self._url = _url(database)
        self._is_sqlite = self._url.get_backend_name() == "sqlite"
        if self._is_sqlite and self._url.database in {None, "", ":memory:"}:
            msg = (
                "a SQLite database in memory keeps nothing; name a file, such as sqlite:///state.db"
            )
            raise JournalError(msg)
        self._ready = False
        try:
            self._engine = create_engine(
                self._url,
                poolclass=NullPool,  # a pass asks a few times; an idle connection would only hold locks
                connect_args={"timeout": busy_s} if self._is_sqlite else {},
            )
        except (ArgumentError, NoSuchModuleError, ModuleNotFoundError) as error:
            msg = f"cannot use the database {self._name}: {error}"
            raise JournalError(msg) from error
        if self._is_sqlite:
            event.listen(self._engine, "connect", _leave_transactions_to_us)

    def load(self) -> tuple[LoopState | None, int]:
        """Return the state and its revision; see `setpoint.ports.journal`."""
        row = self._row(_STATE.c.state, _STATE.c.revision)
        return (None, 0) if row is None else (read_state(row[0]), int(row[1]))

    def models(self) -> tuple[str, ...]:
        """Return the names of all models of the database, in order.

        Raises:
            JournalError: The store cannot be read.
        """
        with self._reading() as connection:
            if connection is None:
                return ()
            query = select(_STATE.c.model).order_by(_STATE.c.model)
            return tuple(str(row[0]) for row in connection.execute(query))

    def head(self) -> tuple[int, str]:
        """Return number and hash of the last entry as the state knows them; (0, 64 zeros) before the first.

        Raises:
            JournalError: The store cannot be read.
        """
        row = self._row(_STATE.c.head_sequence, _STATE.c.head_hash)
        return (0, START) if row is None else (int(row[0]), str(row[1]))

    def commit(self, expected: int, state: LoopState, events: Sequence[Event]) -> int:
        """Replace the state and append the events in one transaction; see `setpoint.ports.journal`.

        Raises:
            StaleStateError: Somebody else committed since; nothing was written.
            LedgerBrokenError: The ledger's last entry is not the head that the state knows; nothing was written.
            JournalError: The store cannot be written; nothing was written.
        """
        if state.model != self._model:
            msg = f"this is the journal of {self._model}, not of {state.model}"
            raise JournalError(msg)
        text = write_state(state)
        with self._writing() as connection:
            self._require_schema(connection)
            revision, last = self._last(connection)
            if revision != expected:
                raise StaleStateError(expected=expected, found=revision)
            added = seal_all(last, events)
            tip = added[-1] if added else last
            values = {
                "revision": expected + 1,
                "head_sequence": tip.sequence if tip else 0,
                "head_hash": tip.hash if tip else START,
                "state": text,
            }
            self._swap(connection, expected, values)
            if added:
                connection.execute(insert(_LEDGER), [self._ledger_row(entry) for entry in added])
            connection.commit()
        self._ready = True
        return expected + 1

    def entries(self, after: int = 0) -> Iterator[Entry]:
        """Yield ledger entries with a sequence number above `after`, in order.

        Raises:
            JournalError: The store cannot be read.
        """
        query = (
            select(_LEDGER.c.sequence, _LEDGER.c.previous, _LEDGER.c.hash, _LEDGER.c.event)
            .where(_LEDGER.c.model == self._model)
            .order_by(_LEDGER.c.sequence)
            .limit(_PAGE)
        )
        page: Sequence[Any] = [None] * _PAGE
        while len(page) == _PAGE:
            with self._reading() as connection:
                if connection is None:
                    return
                page = connection.execute(query.where(_LEDGER.c.sequence > after)).all()
            for sequence, previous, digest, text in page:
                after = int(sequence)
                yield Entry(sequence=after, event=read_event(text), previous=previous, hash=digest)

    def _row(self, *columns: Column[Any]) -> Any:
        """Return these columns of the model's state row, or None."""
        with self._reading() as connection:
            if connection is None:
                return None
            return connection.execute(
                select(*columns).where(_STATE.c.model == self._model)
            ).one_or_none()

    def _last(self, connection: Connection) -> tuple[int, Entry | None]:
        """Return the revision and the ledger's last entry, which must be the head that the state knows."""
        columns = (_STATE.c.revision, _STATE.c.head_sequence, _STATE.c.head_hash)
        row = connection.execute(
            select(*columns).where(_STATE.c.model == self._model)
        ).one_or_none()
        revision, sequence, digest = row or (0, 0, START)
        query = (
            select(_LEDGER.c.sequence, _LEDGER.c.previous, _LEDGER.c.hash, _LEDGER.c.event)
            .where(_LEDGER.c.model == self._model)
            .order_by(_LEDGER.c.sequence.desc())
            .limit(1)
        )
        found = connection.execute(query).one_or_none()
        if found is None:
            if sequence:
                raise LedgerBrokenError(sequence, "the state knows it, but the ledger is empty")
            return revision, None
        last = Entry(
            sequence=found[0], previous=found[1], hash=found[2], event=read_event(found[3])
        )
        if (last.sequence, last.hash) != (sequence, digest):
            reason = f"the ledger ends there, but the state knows entry {sequence} as the last"
            raise LedgerBrokenError(last.sequence, reason)
        return revision, last

    def _swap(self, connection: Connection, expected: int, values: dict[str, Any]) -> None:
        """Write the state row if it is still at the expected revision."""
        if expected == 0:
            try:
                connection.execute(insert(_STATE).values(model=self._model, **values))
            except IntegrityError as error:
                raise StaleStateError(expected=0, found=1) from error
            return
        where = (_STATE.c.model == self._model) & (_STATE.c.revision == expected)
        if connection.execute(update(_STATE).where(where).values(**values)).rowcount != 1:
            raise StaleStateError(expected=expected, found=self._last(connection)[0])

    def _ledger_row(self, entry: Entry) -> dict[str, Any]:
        return {
            "model": self._model,
            "sequence": entry.sequence,
            "previous": entry.previous,
            "hash": entry.hash,
            "event": write_event(entry.event),
        }

    @contextmanager
    def _reading(self) -> Iterator[Connection | None]:
        """Give a connection, or None where the store does not exist yet: reading creates nothing."""
        if self._is_sqlite and not Path(self._url.database or "").exists():
            yield None
            return
        with self._translated("read"), self._engine.connect() as connection:
            self._ready = self._ready or self._has_schema(connection)
            yield connection if self._ready else None

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        """Give a connection in a transaction that has the write lock; without `commit()` it is rolled back."""
        with self._translated("write"):
            if self._is_sqlite:
                Path(self._url.database or "").parent.mkdir(parents=True, exist_ok=True)
            with self._engine.connect() as connection:
                if self._is_sqlite:
                    connection.exec_driver_sql("BEGIN IMMEDIATE")
                yield connection

    def _has_schema(self, connection: Connection) -> bool:
        """Return whether the tables are there, at a version that this Setpoint knows."""
        if not self._engine.dialect.has_table(connection, _SCHEMA.name):
            return False
        version = connection.execute(select(_SCHEMA.c.schema_version)).scalar_one_or_none()
        if version != SCHEMA_VERSION:
            msg = (
                f"{self._name} has schema version {version}, this Setpoint knows {SCHEMA_VERSION}; "
                "use the Setpoint that wrote it, or a newer one"
            )
            raise JournalError(msg)
        return True

    def _require_schema(self, connection: Connection) -> None:
        if self._ready or self._has_schema(connection):
            return
        _TABLES.create_all(connection)
        if self._is_sqlite:
            for statement in _APPEND_ONLY:
                connection.exec_driver_sql(statement)
        connection.execute(insert(_SCHEMA).values(schema_version=SCHEMA_VERSION))

    @contextmanager
    def _translated(self, verb: str) -> Iterator[None]:
        """Turn the database's errors into ours, with what to do about them."""
        try:
            yield
        except (DBAPIError, OSError) as error:
            said = str(getattr(error, "orig", None) or error)
            advice = next((text for sign, text in _ADVICE if sign in said.lower()), "")
            msg = f"cannot {verb} {self._name}: {said}" + (f"; {advice}" if advice else "")
            raise JournalError(msg) from error

    @property
    def _name(self) -> str:
        """The store as people know it, without its password."""
        if self._url.get_backend_name() == "sqlite":
            return self._url.database or ":memory:"
        return self._url.render_as_string(hide_password=True)


def _url(database: Path | str) -> URL:
    if isinstance(database, Path):
        return URL.create("sqlite", database=str(database))
    try:
        url = make_url(database)
        if url.drivername in _POSTGRES:  # the driver that the prediction log uses as well
            url = url.set(drivername="postgresql+psycopg")
        return url.difference_update_query(["schema"])  # the prediction log's
    except ArgumentError as error:
        msg = "the database URL cannot be understood; write it as postgresql://USER@HOST/NAME or sqlite:///FILE"
        raise JournalError(msg) from error


def _leave_transactions_to_us(connection: Any, _record: object) -> None:
    """Stop Python's driver from opening transactions by itself: it would begin them without the write lock."""
    connection.isolation_level = None
