"""API keys: who may ask a gateway what. Only their digests are ever kept."""

from typing import Literal, get_args

import msgspec

Verb = Literal["predict", "outcomes", "read", "metrics"]
"""What a key may allow: ask for predictions, tell outcomes, read metadata, read metrics."""

VERBS: tuple[Verb, ...] = get_args(Verb)


class ApiKey(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One key, without the key.

    Args:
        name: Who has it.
        digest: SHA-256 of the key, in hexadecimal.
        verbs: What it allows.
        models: Names of the models that it is for; empty for all.
        expires: Seconds since 1970-01-01 UTC from which it allows nothing; None for never.
    """

    name: str
    digest: str
    verbs: tuple[Verb, ...] = ("predict", "outcomes", "read")
    models: tuple[str, ...] = ()
    expires: float | None = None


class ApiKeys(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The keys of a gateway, as their file has them."""

    keys: tuple[ApiKey, ...] = ()
