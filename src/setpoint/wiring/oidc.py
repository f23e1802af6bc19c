"""Puts tokens, their issuer and the web together; loaded only by a gateway that takes tokens."""

from concurrent.futures import ThreadPoolExecutor

from setpoint.adapters.oidc_issuer import OidcIssuer
from setpoint.clock import Clock
from setpoint.facts.token_rule import TokenRule
from setpoint.gateway.access.tokens import Tokens


def open_tokens(rule: TokenRule, clock: Clock) -> Tokens:
    """Return the tokens that a gateway takes; nothing is fetched yet.

    Raises:
        UsageError: The issuer is no https address, nor one of this machine.
    """
    return Tokens(OidcIssuer(rule), ThreadPoolExecutor(1, thread_name_prefix="oidc"), clock)
