"""A data source: where tables come from."""

from typing import Protocol

import pyarrow as pa

from setpoint.facts.snapshot import Origin


class Source(Protocol):
    """Reads the source of a contract: a path, a glob, CSV, CSV.gz, Parquet."""

    def fingerprint(self) -> str:
        """Return a digest of the source's bytes without parsing them; equal bytes, equal digest.

        Raises:
            SourceError: The source is not there or not readable.
        """

    def read(self) -> tuple[pa.Table, Origin]:
        """Read and parse the source as text columns or typed columns, as the format gives them.

        Raises:
            SourceError: The source is not there, truncated, or not of the stated format.
        """
