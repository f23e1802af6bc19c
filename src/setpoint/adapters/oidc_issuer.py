"""The issuer of tokens: its keys, found through its discovery document (OpenID Connect Discovery 1.0 §4)."""

import json
from typing import Any

from setpoint.adapters.token_check import SigningKeys, check_token, read_keys
from setpoint.adapters.web_address import WebAddress
from setpoint.adapters.web_fetch import Wanted, WebFetcher
from setpoint.errors import FetchError, UsageError
from setpoint.facts.grant import Grant
from setpoint.facts.token_rule import TokenRule

_WELL_KNOWN = ".well-known/openid-configuration"
_MOST = 1_000_000  # bytes; real ones have some thousands
_WITHIN_S = 5.0
_OK = 200


class OidcIssuer:
    """One issuer; implements `setpoint.gateway.access.tokens.Issuer`.

    Args:
        rule: What its tokens must be.
        fetcher: Fetches its documents.

    Raises:
        UsageError: The issuer is no https address, nor one of this machine.
    """

    def __init__(self, rule: TokenRule, fetcher: WebFetcher | None = None) -> None:
        address = WebAddress.parse(rule.issuer.rstrip("/") + "/", "the OIDC issuer")
        _require_private(address)
        if address.query or address.authorization:
            raise UsageError("the OIDC issuer is an address without a query, a user and a password")
        self._rule = rule
        self._discovery = address.beside(_WELL_KNOWN)
        self._fetcher = fetcher or WebFetcher()
        self._keys = SigningKeys()

    def fetch(self) -> bool:
        """Fetch the issuer's keys and return whether they are others than before.

        Raises:
            FetchError: They cannot be had; those of before stay.
        """
        told = self._json(self._discovery)
        if told.get("issuer") != self._rule.issuer:
            named = str(told.get("issuer"))[:100]
            msg = f"{self._discovery} speaks for the issuer {named!r}, not {self._rule.issuer!r}"
            raise FetchError(msg)
        try:
            address = WebAddress.parse(
                str(told.get("jwks_uri", "")), f"the jwks_uri of {self._discovery}"
            )
            _require_private(address)
        except UsageError as error:
            raise FetchError(str(error)) from error
        keys = read_keys(self._json(address))
        changed = keys.digest != self._keys.digest
        self._keys = keys
        return changed

    def close(self) -> None:
        """Fetch no more, and end a fetch that is under way; from any thread."""
        self._fetcher.give_up()

    def grant(self, token: str, now: float) -> Grant:
        """Return what a token allows; see `check_token`."""
        return check_token(token, self._rule, self._keys, now)

    def _json(self, address: WebAddress) -> dict[str, Any]:
        wanted = Wanted(address, _MOST, _WITHIN_S, {"Accept": "application/json"})
        try:
            fetched = self._fetcher.get(wanted)
        except FetchError as error:
            msg = f"{address}: {error}"
            raise FetchError(msg) from error
        if fetched.status != _OK:
            msg = f"{address}: it answers {fetched.status}"
            raise FetchError(msg)
        try:
            found = json.loads(fetched.body)
        except (ValueError, RecursionError) as error:
            msg = f"{address}: what it answers is no JSON"
            raise FetchError(msg) from error
        if not isinstance(found, dict):
            msg = f"{address}: what it answers is no JSON object"
            raise FetchError(msg)
        return found


def _require_private(address: WebAddress) -> None:
    if not address.is_private:
        msg = f"{address} is plain http, which anybody on the way can answer: tokens need https"
        raise UsageError(msg)
