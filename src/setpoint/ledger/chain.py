"""The chain: each entry's hash covers its event, its number and the hash before it.

Invariants: numbers start at 1 and have no gaps; the first entry's `previous` is 64 zeros; an entry's hash is SHA-256
over the canonical JSON of `{"previous", "sequence", "event"}`. So one hash, the head, stands for all before it.
"""

from setpoint.digest import sha256_json
from setpoint.facts.ledger import Entry, Event
from setpoint.ledger.plain import to_plain

START = "0" * 64  # what the first entry has for the hash before it


def seal(previous: Entry | None, event: Event) -> Entry:
    """Return the entry that follows `previous` and says `event`.

    The event of the entry is plain data, and equal to itself after a way through JSON.

    Args:
        previous: The last entry so far; None for the first.
        event: What happened.

    Raises:
        TypeError: The event's body holds something that is not plain data.
        ValueError: Two keys of the body read alike as text.
    """
    sequence = 1 if previous is None else previous.sequence + 1
    before = START if previous is None else previous.hash
    plain = Event(kind=to_plain(event.kind), at=float(event.at), body=to_plain(event.body))
    return Entry(
        sequence=sequence, event=plain, previous=before, hash=entry_hash(before, sequence, plain)
    )


def entry_hash(previous: str, sequence: int, event: Event) -> str:
    """Return the hash of an entry: hexadecimal SHA-256 over what it says and what stood before.

    Raises:
        TypeError: The event holds something that is not plain data.
        ValueError: The event's mappings have keys that read alike.
    """
    said = {
        "previous": previous,
        "sequence": sequence,
        "event": {"kind": event.kind, "at": to_plain(event.at), "body": to_plain(event.body)},
    }
    return sha256_json(said)
