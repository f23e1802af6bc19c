"""The chain of hashes: numbered from 1, each entry bound to the one before, stable through storage."""

import json
import math

import msgspec
import pytest

from setpoint.facts.ledger import Entry, Event
from setpoint.ledger.chain import START, entry_hash, seal


def event(kind="promoted", at=1.0, **body):
    return Event(kind=kind, at=at, body=body)


def test_first_entry_follows_zeros():
    entry = seal(None, event())
    assert (entry.sequence, entry.previous) == (1, START)


def test_next_entry_follows_the_hash_before():
    first = seal(None, event())
    second = seal(first, event())
    assert (second.sequence, second.previous) == (2, first.hash)
    assert second.hash != first.hash


def test_hash_is_known_and_does_not_depend_on_key_order():
    left = seal(None, event(at=2, a=1, b="ü"))
    right = seal(None, event(at=2.0, b="ü", a=1))
    assert left.hash == right.hash
    # sha256 of {"event":{"at":2.0,"body":{"a":1,"b":"ü"},"kind":"promoted"},"previous":"00…","sequence":1}
    assert left.hash == "4aa228eaf2761b3019b317e80a7ee451c7b713e20219f38507e20b8a689e7ff5"


def test_entry_survives_json_with_whole_and_missing_numbers():
    entry = seal(None, event(at=7, x=math.nan, y=(1, 2), z=2**70, w=1.0))
    again = msgspec.convert(json.loads(msgspec.json.encode(entry)), Entry)
    assert again == entry
    assert entry_hash(again.previous, again.sequence, again.event) == entry.hash


@pytest.mark.parametrize("at", [math.nan, math.inf])
def test_strange_instants_are_sealed_not_lost(at):
    assert len(seal(None, event(at=at)).hash) == 64


def test_what_is_not_plain_is_refused():
    with pytest.raises(TypeError):
        seal(None, event(table=object()))
