"""Verification: does the chain hold, from the first entry to the head that the state knows?"""

from collections.abc import Iterable

import msgspec

from setpoint.facts.ledger import Entry
from setpoint.facts.verdict import Ruling
from setpoint.ledger.chain import START, entry_hash


class Verification(msgspec.Struct, frozen=True, kw_only=True):
    """What verification says of a ledger.

    Args:
        ruling: `pass`; `fail` where the chain is broken; `inconclusive` where it holds as far as it goes, but no head
            is known, so that a cut-off end would not be seen.
        entries: Entries that hold, counted from the first.
        head: Hash of the last entry that holds; 64 zeros before the first.
        broken: Number of the first entry that does not hold, or is missing; None where all hold.
        reason: One sentence for people.
    """

    ruling: Ruling
    entries: int
    head: str
    broken: int | None = None
    reason: str


def verify(entries: Iterable[Entry], head: tuple[int, str] | None) -> Verification:
    """Check every entry, in order, then that the last one is the head that the state knows.

    An altered, removed, added, doubled or moved entry is found, and so is a cut-off end, provided that `head` itself
    was not forged along with the entries.

    Args:
        entries: All entries of one model, from the first, in the order they are stored.
        head: Number and hash of the last entry as the state knows them, (0, 64 zeros) before the first; None where no
            head is known.
    """
    held, last = 0, START
    for entry in entries:
        fault = _fault(entry, held + 1, last)
        if fault:
            return Verification(
                ruling="fail", entries=held, head=last, broken=held + 1, reason=fault
            )
        held, last = entry.sequence, entry.hash
    if head is None:
        reason = f"{held} entries hold; no known head to compare with, so a cut-off end would not be seen"
        return Verification(ruling="inconclusive", entries=held, head=last, reason=reason)
    return _against_head(held, last, head)


def _fault(entry: Entry, sequence: int, previous: str) -> str:
    """Return what is wrong with the entry that should have this number and follow this hash, or an empty text."""
    if entry.sequence != sequence:
        return (
            f"entry {sequence} should stand here, but the next one found is entry {entry.sequence}"
        )
    if entry.previous != previous:
        return (
            f"entry {sequence} does not follow the entry before it: its `previous` is another hash"
        )
    try:
        expected = entry_hash(entry.previous, entry.sequence, entry.event)
    except (TypeError, ValueError) as error:
        return f"entry {sequence} holds something that no ledger entry can hold: {error}"
    if entry.hash != expected:
        return f"entry {sequence} was altered: its hash does not match what it says"
    return ""


def _against_head(held: int, last: str, head: tuple[int, str]) -> Verification:
    sequence, digest = head
    if held == sequence and last == digest:
        reason = f"{held} entries hold, up to the head that the state knows"
        return Verification(ruling="pass", entries=held, head=last, reason=reason)
    if held < sequence:
        broken = held + 1
        reason = f"the state knows {sequence} entries, but the ledger ends after entry {held}"
    elif held > sequence:
        broken = sequence + 1
        reason = f"the state knows {sequence} entries, but the ledger has {held}"
    else:
        broken = held
        reason = f"entry {held} is not the head that the state knows: the chain was rewritten"
    return Verification(ruling="fail", entries=held, head=last, broken=broken, reason=reason)
