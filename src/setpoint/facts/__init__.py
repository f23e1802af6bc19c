"""What happened: immutable records, each plain enough to be JSON.

Belongs here: frozen records (`msgspec.Struct`) that rooms hand to each other, the ledger keeps and people read, and
the few operations that are part of their meaning (a set of verdicts has one verdict). Never here: pydantic, pandas,
IO, or a decision. Records ignore fields they do not know, so that an older reader can read a newer writer.
"""
