"""Snapshots: some rows of a stored table, named by its content."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from setpoint.contract.contract import Contract
from setpoint.data.conform import ticks
from setpoint.facts.snapshot import Origin, Snapshot, name_snapshot


def take_snapshot(
    table: pa.Table,
    contract: Contract,
    *,
    digest: str,
    origin: Origin,
    ranges: Sequence[tuple[int, int]] | None = None,
) -> Snapshot:
    """Return the snapshot of some rows of a stored table.

    Args:
        table: The typed table, whole.
        contract: Has a section `data`.
        digest: Content digest of the table.
        origin: Where it came from.
        ranges: Half-open ranges of its rows, in order; all rows unless given.
    """
    pairs = tuple(ranges) if ranges is not None else ((0, table.num_rows),)
    pairs = tuple((int(start), int(stop)) for start, stop in pairs if stop > start)
    span = None
    if contract.axis == "time" and pairs and contract.require_data().time in table.column_names:
        at = np.concatenate([ticks(table.slice(a, b - a), contract) for a, b in pairs])
        known = at[np.isfinite(at)]
        span = (float(known.min()), float(known.max())) if known.size else None
    return Snapshot(
        digest=name_snapshot(digest, pairs),
        table=digest,
        ranges=pairs,
        rows=sum(stop - start for start, stop in pairs),
        columns={name: str(table.schema.field(name).type) for name in table.column_names},
        time_range=span,
        origin=origin,
    )
