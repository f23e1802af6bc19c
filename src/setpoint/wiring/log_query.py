"""Puts the prediction log and DuckDB together: what `setpoint log query` calls."""

import pyarrow as pa

from setpoint.adapters.log_sql import query
from setpoint.wiring.log_place import open_lines, require_log
from setpoint.wiring.offline import Offline


def query_log(sql: str, offline: Offline) -> pa.Table:
    """Return what a query says of the table `log`; see `setpoint.adapters.log_sql`.

    Raises:
        UsageError: There is no log yet, DuckDB is not installed, or cannot carry the query out.
        JournalError: The log cannot be read.
    """
    lines = open_lines(require_log(offline.settings))
    try:
        return query(sql, lines.snapshot())
    finally:
        lines.close()
