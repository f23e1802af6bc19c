"""Merkle trees over ledger entries: one root for all, and short proofs of membership and of growth.

Leaf, node and tree hashes, inclusion and consistency proofs are those of RFC 6962, section 2.1 (and RFC 9162): a leaf
is SHA-256(0x00 ‖ data), a node SHA-256(0x01 ‖ left ‖ right), the root of no leaves SHA-256 of nothing, and a tree of n
leaves splits at the largest power of two below n. Proofs are verified by the iterative algorithms of RFC 9162,
sections 2.1.3.2 and 2.1.4.2.
"""

import hashlib
from collections.abc import Iterable, Sequence

from setpoint.facts.ledger import Entry


def leaves(entries: Iterable[Entry]) -> list[bytes]:
    """Return the data of each entry's leaf: the 32 bytes of its hash, which covers all that it says."""
    return [bytes.fromhex(entry.hash) for entry in entries]


def root(data: Sequence[bytes]) -> bytes:
    """Return the root hash, 32 bytes, of a tree whose leaves hold `data`.

    >>> root([]).hex()[:16], root([b""]).hex()[:16]
    ('e3b0c44298fc1c14', '6e340b9cffb37a98')
    """
    return _tree([_leaf(item) for item in data])


def inclusion_proof(data: Sequence[bytes], index: int) -> list[bytes]:
    """Return the hashes that lead from leaf `index`, counted from 0, to the root; bottom first.

    Raises:
        ValueError: There is no such leaf.
    """
    if not 0 <= index < len(data):
        msg = f"there is no leaf {index} in a tree of {len(data)}"
        raise ValueError(msg)
    return _path([_leaf(item) for item in data], index)


def holds_inclusion(
    leaf: bytes, index: int, size: int, proof: Sequence[bytes], expected: bytes
) -> bool:
    """Return whether `proof` leads from the data `leaf` at `index` to the root `expected` of `size` leaves."""
    if not 0 <= index < size:
        return False
    node, last, result = index, size - 1, _leaf(leaf)
    for sibling in proof:
        if last == 0:
            return False
        if node & 1 or node == last:
            result = _node(sibling, result)
            while not node & 1 and node:
                node, last = node >> 1, last >> 1
        else:
            result = _node(result, sibling)
        node, last = node >> 1, last >> 1
    return last == 0 and result == expected


def consistency_proof(data: Sequence[bytes], earlier: int) -> list[bytes]:
    """Return the hashes that show that the tree only grew since it had `earlier` leaves.

    Raises:
        ValueError: The tree never had that many leaves, or `earlier` is 0, which needs no proof.
    """
    if not 0 < earlier <= len(data):
        msg = f"a tree of {len(data)} leaves has no consistency proof from {earlier}"
        raise ValueError(msg)
    return _subproof([_leaf(item) for item in data], earlier, whole=True)


def holds_consistency(
    earlier: int, size: int, earlier_root: bytes, proof: Sequence[bytes], expected: bytes
) -> bool:
    """Return whether `proof` shows that the tree with root `expected` begins with the one of `earlier_root`."""
    if not 0 < earlier <= size:
        return False
    if earlier == size:
        return not proof and earlier_root == expected
    if not proof:
        return False
    hashes = list(proof)
    if earlier & (earlier - 1) == 0:  # a whole subtree: its root is the earlier root itself
        hashes.insert(0, earlier_root)
    node, last = earlier - 1, size - 1
    while node & 1:
        node, last = node >> 1, last >> 1
    old = new = hashes[0]
    for sibling in hashes[1:]:
        if last == 0:
            return False
        if node & 1 or node == last:
            old, new = _node(sibling, old), _node(sibling, new)
            while not node & 1 and node:
                node, last = node >> 1, last >> 1
        else:
            new = _node(new, sibling)
        node, last = node >> 1, last >> 1
    return last == 0 and old == earlier_root and new == expected


def _leaf(data: bytes) -> bytes:
    return hashlib.sha256(b"\x00" + data).digest()


def _node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


def _split(size: int) -> int:
    """Return the largest power of two below `size`, for a size of 2 or more."""
    return 1 << ((size - 1).bit_length() - 1)


def _tree(hashes: Sequence[bytes]) -> bytes:
    if not hashes:
        return hashlib.sha256().digest()
    if len(hashes) == 1:
        return hashes[0]
    at = _split(len(hashes))
    return _node(_tree(hashes[:at]), _tree(hashes[at:]))


def _path(hashes: Sequence[bytes], index: int) -> list[bytes]:
    if len(hashes) == 1:
        return []
    at = _split(len(hashes))
    if index < at:
        return [*_path(hashes[:at], index), _tree(hashes[at:])]
    return [*_path(hashes[at:], index - at), _tree(hashes[:at])]


def _subproof(hashes: Sequence[bytes], earlier: int, *, whole: bool) -> list[bytes]:
    if earlier == len(hashes):
        return [] if whole else [_tree(hashes)]
    at = _split(len(hashes))
    if earlier <= at:
        return [*_subproof(hashes[:at], earlier, whole=whole), _tree(hashes[at:])]
    return [*_subproof(hashes[at:], earlier - at, whole=False), _tree(hashes[:at])]
