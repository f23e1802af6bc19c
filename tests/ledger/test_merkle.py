"""Merkle roots and proofs against the known answers of RFC 6962 implementations, and against forgery."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from setpoint.facts.ledger import Event
from setpoint.ledger import merkle
from setpoint.ledger.chain import seal

# Leaves and roots that Certificate Transparency's implementations share (transparency-dev/merkle, testonly).
DATA = [
    bytes.fromhex(text)
    for text in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
ROOTS = {
    0: "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    1: "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    2: "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    3: "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    5: "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    8: "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
}


@pytest.mark.parametrize(("size", "expected"), ROOTS.items())
def test_roots_are_those_of_certificate_transparency(size, expected):
    assert merkle.root(DATA[:size]).hex() == expected


@given(st.integers(1, 33), st.data())
@settings(max_examples=60)
def test_every_leaf_is_proved_and_no_other_place_or_leaf_or_size(size, data):
    items = [bytes([number]) for number in range(size)]
    index = data.draw(st.integers(0, size - 1))
    proof, top = merkle.inclusion_proof(items, index), merkle.root(items)
    assert merkle.holds_inclusion(items[index], index, size, proof, top)
    assert not merkle.holds_inclusion(b"forged", index, size, proof, top)
    assert not any(
        merkle.holds_inclusion(items[index], other, size, proof, top)
        for other in range(-1, size + 1)
        if other != index
    )
    assert not merkle.holds_inclusion(items[index], index, size, [*proof, top], top)
    if proof:
        assert not merkle.holds_inclusion(items[index], index, size, proof[:-1], top)


@given(st.integers(1, 33), st.data())
@settings(max_examples=60)
def test_growth_is_proved_and_rewriting_is_not(size, data):
    items = [bytes([number]) for number in range(size)]
    earlier = data.draw(st.integers(1, size))
    proof, old, new = (
        merkle.consistency_proof(items, earlier),
        merkle.root(items[:earlier]),
        merkle.root(items),
    )
    assert merkle.holds_consistency(earlier, size, old, proof, new)
    forged = merkle.root([b"forged", *items[1:earlier]])
    assert not merkle.holds_consistency(earlier, size, forged, proof, new)
    assert not merkle.holds_consistency(earlier, size, old, proof, merkle.root([*items, b"more"]))
    assert not merkle.holds_consistency(earlier, size, old, [*proof, new], new)
    if proof:
        assert not merkle.holds_consistency(earlier, size, old, proof[:-1], new)


def test_impossible_proofs_are_refused():
    with pytest.raises(ValueError, match="no leaf 2"):
        merkle.inclusion_proof(DATA[:2], 2)
    with pytest.raises(ValueError, match="from 3"):
        merkle.consistency_proof(DATA[:2], 3)
    assert not merkle.holds_consistency(0, 2, merkle.root([]), [], merkle.root(DATA[:2]))


def test_leaves_of_entries_are_their_hashes():
    entry = seal(None, Event(kind="promoted", at=0.0, body={}))
    assert merkle.leaves([entry]) == [bytes.fromhex(entry.hash)]
