"""Stored tables: immutable, named by content."""

from pathlib import Path
from typing import Any, Protocol

import pyarrow as pa


class Tables(Protocol):
    """Keeps immutable tables by content digest, where other processes can map them."""

    def put(self, table: pa.Table) -> str:
        """Store a table and return its content digest; storing it again changes nothing."""

    def get(self, digest: str) -> pa.Table:
        """Return a stored table, memory-mapped.

        Raises:
            DataError: There is no such table, or it was altered.
        """

    def path(self, digest: str) -> Path:
        """Return the file of a stored table."""

    def put_rows(self, rows: dict[str, Any]) -> str:
        """Store arrays of row positions as `.npz` and return the file's path; named by content."""
