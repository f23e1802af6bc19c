"""What a bearer token must be for a gateway to take it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class TokenRule:
    """What a token must be.

    Args:
        issuer: Who must have issued it, exactly as tokens and the discovery document name it.
        audiences: Whom it must be for: one of these.
        scopes_claim: Claim that holds scopes, as text or a list; `realm_access.roles` leads into an object.
        leeway_s: Seconds that clocks may differ.
    """

    issuer: str
    audiences: tuple[str, ...]
    scopes_claim: str = "scope"
    leeway_s: float = 30.0
