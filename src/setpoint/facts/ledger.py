"""Ledger entries: what happened, chained by hashes."""

from typing import Any

import msgspec


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """Something that happened, before the ledger numbers and chains it.

    Args:
        kind: Past tense, such as `promoted`, `candidate_refused`, `data_blocked`.
        at: Tick on the loop's axis.
        body: Plain JSON data; a decision carries its id, reason, verdicts and numbers.
    """

    kind: str
    at: float
    body: dict[str, Any]


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One event in the ledger.

    Args:
        sequence: Number of the entry, from 1, without gaps.
        event: What happened.
        previous: Hash of the entry before, 64 zeros for the first.
        hash: SHA-256 over previous hash, sequence and canonical event.
    """

    sequence: int
    event: Event
    previous: str
    hash: str
