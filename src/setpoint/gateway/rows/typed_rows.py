"""Rows in JSON, decoded straight into the types of the champion's contract where they fit."""

from collections.abc import Callable

import msgspec

from setpoint.gateway.rows.rows import Rows, TypedRows
from setpoint.gateway.serving import Serving

Json = bytes | msgspec.Raw
Again = Callable[[], Rows]
"""Reads the same rows the slow way, for a version with another schema."""


def typed_rows(given: Json, serving: Serving, again: Again) -> TypedRows | None:
    """Return rows that are a list of lists, a list of objects, or one list; None where they need the slow way."""
    start = bytes(given).lstrip()
    if start[:1] != b"[":
        return None
    first = start[1:].lstrip()[:1]
    if first == b"[":
        return typed_lists(given, serving, again)
    if first == b"{":
        return typed_records(given, serving, again)
    row = serving.decoder.listed(given)
    if row is None:
        return None
    extras = serving.decoder.extras([row])
    return TypedRows((row,), serving.champion.schema, again, serving.extra, extras)


def typed_lists(given: Json, serving: Serving, again: Again) -> TypedRows | None:
    """Return rows that are a list of lists in the order of the contract; None where they need the slow way."""
    rows = serving.decoder.lists(given)
    if not rows:
        return None
    extras = serving.decoder.extras(rows)
    return TypedRows(rows, serving.champion.schema, again, serving.extra, extras)


def typed_records(given: Json, serving: Serving, again: Again) -> TypedRows | None:
    """Return rows that are a list of objects; None where they need the slow way."""
    found = serving.decoder.records(given)
    if found is None or not found[0]:
        return None
    rows, extras = found
    return TypedRows(rows, serving.champion.schema, again, serving.extra, extras)
