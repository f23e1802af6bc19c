"""What somebody may ask of a gateway: the same whether an API key says it or a token's scopes do."""

from collections.abc import Iterable, Mapping

import msgspec

from setpoint.facts.api_key import VERBS, ApiKey, Verb

SCOPE = "setpoint"
"""What our scopes begin with: `setpoint:predict` for every model, `setpoint:predict:churn` for one."""

_VERBS: Mapping[str, Verb] = {verb: verb for verb in VERBS}

Allowed = Mapping[Verb, frozenset[str]]
"""Names of models by what may be done with them; no names for all models."""


class Grant(msgspec.Struct, frozen=True, kw_only=True):
    """What one key or token allows.

    Args:
        who: Whose it is, as messages say it; never the key or the token.
        allowed: Models by what may be done with them.
        expires: Seconds since 1970-01-01 UTC from which it allows nothing; None for never.
    """

    who: str
    allowed: Allowed
    expires: float | None = None


def grant_of_key(key: ApiKey) -> Grant:
    """Return what an API key allows."""
    models = frozenset(key.models)
    return Grant(
        who=f"the API key of {key.name!r}",
        allowed=dict.fromkeys(key.verbs, models),
        expires=key.expires,
    )


def allowed_by(scopes: Iterable[str]) -> Allowed:
    """Return what a token's scopes allow; scopes of others count nothing."""
    models: dict[Verb, set[str]] = {}
    everywhere: set[Verb] = set()
    for scope in scopes:
        ours, _, rest = scope.partition(":")
        word, named, model = rest.partition(":")
        verb = _VERBS.get(word)
        if ours != SCOPE or verb is None or (named and not model):
            continue
        models.setdefault(verb, set())
        if named:
            models[verb].add(model)
        else:
            everywhere.add(verb)
    return {
        verb: frozenset() if verb in everywhere else frozenset(names)
        for verb, names in models.items()
    }
