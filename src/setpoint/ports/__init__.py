"""What the loop needs of the world: one Protocol a file, about six verbs, idempotence and errors stated.

Belongs here: Protocols over facts and plain data. Never here: an SDK's types, an implementation, a default.
"""
