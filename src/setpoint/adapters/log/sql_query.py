"""SQL over the log, by DuckDB: Parquet files and fresh answers as one table `log`, with outcomes beside them.

What shadows answered is another table, `shadows`, with the id of the live answer to the same row as `live`.

Columns are those of `setpoint.adapters.log.lines`, with `time` beside `at` and `position`; an input has its own name
unless the answer has a column of that name: then it is `feature.NAME`. Inputs that differ only in case are left out:
SQL cannot tell them apart. Nothing is copied but the fresh answers: DuckDB reads of the files what the query needs.
"""

import pyarrow as pa

from setpoint.adapters.log.lines import COLUMNS, LINE, Snapshot
from setpoint.adapters.log.table import FEATURE
from setpoint.errors import UsageError

try:
    import duckdb
except ImportError:  # an extra
    duckdb = None  # type: ignore[assignment]

_OWN = ("position", "time", "live", *COLUMNS)
_LIVE = "split_part(l.id, '.', 1)"


def query(sql: str, snapshot: Snapshot, shadows: Snapshot | None = None) -> pa.Table:
    """Return what a query says of the log.

    Args:
        sql: One SELECT; the tables are `log` and `shadows`.
        snapshot: The log.
        shadows: The log of the shadows; None where there is none.

    Raises:
        UsageError: DuckDB is not installed, or cannot carry the query out.
    """
    if duckdb is None:
        raise UsageError("this needs DuckDB: pip install 'setpoint[log]'")
    with duckdb.connect() as connection:
        try:
            connection.execute("SET autoinstall_known_extensions = false")  # nothing is fetched
            connection.execute("SET TimeZone = 'UTC'")
            connection.register("told", snapshot.outcomes)
            if snapshot.file_system is not None:
                connection.register_filesystem(snapshot.file_system)
            _add(connection, "log", snapshot)
            nothing = Snapshot([], snapshot.fresh.slice(0, 0), snapshot.outcomes, ())
            _add(connection, "shadows", shadows or nothing, _LIVE)
            found = connection.sql(sql)
            if found is None:
                raise UsageError("the query has no result; ask with SELECT … FROM log")
            return _plain(found.to_arrow_table())
        except duckdb.Error as error:
            raise UsageError(f"the query cannot be carried out: {error}") from error


def _add(
    connection: "duckdb.DuckDBPyConnection", name: str, snapshot: Snapshot, live: str = "l.id"
) -> None:
    """Make a table of a log.

    Args:
        connection: Where; it has the table `told`.
        name: Name of the table.
        snapshot: The log.
        live: What names the answer that an outcome is about.
    """
    rows = fresh = f"{name}_fresh"
    connection.register(fresh, snapshot.fresh)
    if snapshot.files:
        files = [str(file) for file in snapshot.files]
        stored = connection.read_parquet(files, union_by_name=True, hive_partitioning=False)
        stored.create_view(f"{name}_stored")
        rows = f"{fresh} UNION ALL BY NAME SELECT * FROM {name}_stored"  # noqa: S608 (as below)
    own = [f"l.{_name(name)}" for name in ("position", *LINE)]
    lowered = [name.lower() for name in snapshot.inputs]
    inputs = [_input(name) for name in snapshot.inputs if lowered.count(name.lower()) == 1]
    more = [f"{live} AS live"] if live == _LIVE else []
    columns = [*own, *more, "to_timestamp(l.at) AS time", "o.outcome", "o.outcome_at", *inputs]
    connection.execute(
        f"CREATE VIEW {name} AS SELECT {', '.join(columns)} FROM (SELECT * FROM {rows}) l "  # noqa: S608 (names are quoted)
        f"LEFT JOIN told o ON o.prediction = {live}"
    )


def _input(name: str) -> str:
    """Return how an input is selected: under its own name where that is free."""
    stored = _name(FEATURE + name)
    return f"l.{stored}" if name.lower() in _OWN else f"l.{stored} AS {_name(name)}"


def _name(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _plain(table: pa.Table) -> pa.Table:
    """Return a result with numbers as plain numbers: DuckDB adds whole numbers up in 128 bits."""
    for place, field in enumerate(table.schema):
        if pa.types.is_decimal(field.type):
            column = table.column(place).cast(pa.float64())
            table = table.set_column(place, field.name, column)
    return table
