"""The ledger: the format of an entry, the chain of hashes, Merkle proofs, and their verification.

Belongs here: pure functions over events and entries. Never here: storage, update, deletion, private keys, or a clock.
Whoever can rewrite every entry *and* the known head can forge a whole ledger; what stops that is a head or a Merkle
root that was written down somewhere else.
"""
