"""Any altered, removed, added, doubled or moved entry is found, and the first broken number named."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from setpoint.facts.ledger import Event
from setpoint.ledger.chain import START, seal
from setpoint.ledger.verify import verify


def ledger(count):
    entries = []
    for number in range(count):
        event = Event(kind=f"kind_{number % 3}", at=float(number), body={"n": number})
        entries.append(seal(entries[-1] if entries else None, event))
    return entries


def head_of(entries):
    return (entries[-1].sequence, entries[-1].hash) if entries else (0, START)


def replaced(entry, **changes):
    return msgspec.structs.replace(entry, **changes)


def edited(entry, what):
    event = entry.event
    if what == "kind":
        return replaced(entry, event=replaced(event, kind=event.kind + "x"))
    if what == "at":
        return replaced(entry, event=replaced(event, at=event.at + 1))
    if what == "body":
        return replaced(entry, event=replaced(event, body={**event.body, "n": -1}))
    if what == "unplain":
        return replaced(entry, event=replaced(event, body={"n": object()}))
    if what == "sequence":
        return replaced(entry, sequence=entry.sequence + 7)
    flipped = {"previous": entry.previous, "hash": entry.hash}[what]
    return replaced(entry, **{what: ("1" if flipped[0] != "1" else "2") + flipped[1:]})


SIZES = st.integers(1, 12)


def test_sound_ledgers_pass():
    for count in range(5):
        entries = ledger(count)
        found = verify(iter(entries), head_of(entries))
        assert (found.ruling, found.entries, found.broken) == ("pass", count, None)
        assert found.head == head_of(entries)[1]


@given(
    SIZES,
    st.data(),
    st.sampled_from(["kind", "at", "body", "unplain", "sequence", "previous", "hash"]),
)
def test_edit_is_found_at_its_place(count, data, what):
    entries = ledger(count)
    head = head_of(entries)
    place = data.draw(st.integers(0, count - 1))
    entries[place] = edited(entries[place], what)
    found = verify(entries, head)
    assert (found.ruling, found.broken, found.entries) == ("fail", place + 1, place)
    assert str(place + 1) in found.reason


@given(SIZES, st.data())
def test_removal_is_found(count, data):
    entries = ledger(count)
    head = head_of(entries)
    place = data.draw(st.integers(0, count - 1))
    del entries[place]
    found = verify(entries, head)
    assert (found.ruling, found.broken) == ("fail", place + 1)


@given(st.integers(2, 12), st.data())
def test_any_other_order_is_found(count, data):
    entries = ledger(count)
    order = data.draw(st.permutations(range(count)))
    moved = [entries[number] for number in order]
    if moved == entries:
        return
    first = next(place for place, number in enumerate(order) if place != number)
    found = verify(moved, head_of(entries))
    assert (found.ruling, found.broken) == ("fail", first + 1)


@given(SIZES, st.data())
def test_doubled_entry_is_found(count, data):
    entries = ledger(count)
    place = data.draw(st.integers(0, count - 1))
    found = verify([*entries[: place + 1], *entries[place:]], head_of(entries))
    assert (found.ruling, found.broken) == ("fail", place + 2)


@given(SIZES, st.data())
def test_cut_off_end_is_found_only_with_a_head(count, data):
    entries = ledger(count)
    kept = entries[: data.draw(st.integers(0, count - 1))]
    found = verify(kept, head_of(entries))
    assert (found.ruling, found.broken) == ("fail", len(kept) + 1)
    assert verify(kept, None).ruling == "inconclusive"


def test_entry_added_behind_the_head_is_found():
    entries = ledger(3)
    found = verify(
        [*entries, seal(entries[-1], Event(kind="forged", at=0, body={}))], head_of(entries)
    )
    assert (found.ruling, found.broken) == ("fail", 4)


def test_rewritten_chain_is_found_by_the_head():
    found = verify([seal(None, Event(kind="other", at=0.0, body={}))], head_of(ledger(1)))
    assert (found.ruling, found.broken) == ("fail", 1)


@pytest.mark.parametrize("head", [(0, START)])
def test_empty_ledger_of_a_fresh_state_passes(head):
    assert verify([], head).ruling == "pass"
