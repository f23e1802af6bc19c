"""The name of a table by its content, and snapshots of its rows."""

import hashlib
from collections.abc import Iterable, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from setpoint.contract.contract import Contract
from setpoint.data.cells import flat
from setpoint.data.conform import ticks
from setpoint.digest import canonical_json
from setpoint.facts.snapshot import Origin, Snapshot, name_snapshot


def table_digest(table: pa.Table) -> str:
    """Return the SHA-256 of a typed table's content: names, types and values, in order.

    How the table is cut into chunks, its metadata and its file do not matter, and neither does what lies under a null.
    """
    digest = hashlib.sha256()
    fields = [[name, str(table.schema.field(name).type)] for name in table.column_names]
    digest.update(canonical_json({"fields": fields, "rows": table.num_rows}).encode())
    for name in table.column_names:
        for part in _bytes(table.column(name)):
            digest.update(len(part).to_bytes(8, "little"))
            digest.update(part)
    return digest.hexdigest()


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


def rows_of(snapshot: Snapshot, table: pa.Table) -> pa.Table:
    """Return the snapshot's rows of its stored table."""
    return pa.concat_tables(
        [table.slice(start, stop - start) for start, stop in snapshot.ranges] or [table.slice(0, 0)]
    )


def _bytes(column: pa.ChunkedArray) -> Iterable[bytes]:
    """Yield a column's validity and values as bytes that do not depend on chunks or offsets."""
    yield np.packbits(pc.is_valid(column).to_numpy()).tobytes()
    kind = column.type
    if pa.types.is_string(kind):
        yield from _text_bytes(flat(pc.fill_null(column, "")))
        return
    if pa.types.is_timestamp(kind):
        column = column.cast(pa.int64())
    plain = pc.fill_null(column, False if pa.types.is_boolean(kind) else 0)
    values = plain.to_numpy()
    yield values.astype(values.dtype.newbyteorder("<")).tobytes()


def _text_bytes(texts: pa.Array) -> Iterable[bytes]:
    offsets = np.frombuffer(texts.buffers()[1], dtype=np.int32)[
        texts.offset : texts.offset + len(texts) + 1
    ]
    yield np.diff(offsets).astype("<i4").tobytes()
    data = texts.buffers()[2]
    yield (
        b"" if data is None or not len(texts) else bytes(memoryview(data)[offsets[0] : offsets[-1]])
    )
