"""Puts the prediction log and DuckDB together: what `setpoint log query` calls."""

import pyarrow as pa

from setpoint.adapters.log.sql_query import query
from setpoint.wiring.log_place import find_shadow_lines, open_lines, require_log
from setpoint.wiring.offline import Offline


def query_log(sql: str, offline: Offline) -> pa.Table:
    """Return what a query says of the tables `log` and `shadows`; see `setpoint.adapters.log.sql_query`.

    Raises:
        UsageError: There is no log yet, DuckDB is not installed, or cannot carry the query out.
        JournalError: The log cannot be read.
    """
    place = require_log(offline.settings)
    lines, shadows = open_lines(place), find_shadow_lines(place)
    try:
        return query(sql, lines.snapshot(), None if shadows is None else shadows.snapshot())
    finally:
        lines.close()
        if shadows is not None:
            shadows.close()
