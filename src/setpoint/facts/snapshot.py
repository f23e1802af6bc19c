"""The snapshot: an immutable version of a dataset, named by its content."""

from typing import Any

import msgspec

from setpoint.digest import sha256_json


class Origin(msgspec.Struct, frozen=True, kw_only=True):
    """Where a table came from: the source as the contract writes it, and each file with its digest."""

    source: str
    files: dict[str, str] = {}
    details: dict[str, Any] = {}


class Snapshot(msgspec.Struct, frozen=True, kw_only=True):
    """Rows of a stored table. In production all of them; in a replay those known at that instant.

    Args:
        digest: Names the snapshot: digest over `table` and `ranges`.
        table: Content digest of the stored table.
        ranges: Half-open row ranges of the stored table that belong to the snapshot, in order.
        rows: Number of rows in all ranges.
        columns: Arrow type by column name.
        time_range: First and last tick of the rows, where there is a time axis.
        origin: Where the table came from.
    """

    digest: str
    table: str
    ranges: tuple[tuple[int, int], ...]
    rows: int
    columns: dict[str, str]
    time_range: tuple[float, float] | None = None
    origin: Origin


def name_snapshot(table: str, ranges: tuple[tuple[int, int], ...]) -> str:
    """Return the digest that names these row ranges of the table with digest `table`."""
    return sha256_json({"table": table, "ranges": [list(pair) for pair in ranges]})
