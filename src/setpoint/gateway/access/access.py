"""Who may ask what: by API key, by token, or by either.

Both are found by the SHA-256 of what was sent, so a token that was verified once costs as little as a key. What is sent
is kept nowhere and stands in no message.
"""

import asyncio
from collections.abc import Mapping
from types import MappingProxyType

from setpoint.clock import Clock
from setpoint.digest import sha256_bytes
from setpoint.facts.api_key import Verb
from setpoint.facts.grant import SCOPE, Grant
from setpoint.gateway.access.keys import Keys
from setpoint.gateway.access.tokens import Tokens, is_token, refuse_token
from setpoint.gateway.wire.exchange import Request
from setpoint.gateway.wire.refusal import Flaw, RefusedError

PROBES = frozenset(
    {
        "/healthz",
        "/livez",
        "/readyz",
        "/health",
        "/ping",
        "/v2/health/live",
        "/v2/health/ready",
        "/inference.GRPCInferenceService/ServerLive",
        "/inference.GRPCInferenceService/ServerReady",
        "/grpc.health.v1.Health/Check",
    }
)
"""Paths that are asked without a key: all they tell is whether the gateway answers."""

_VERBS: Mapping[str, Verb] = MappingProxyType({"/metrics": "metrics", "/outcomes": "outcomes"})
_CHALLENGE = ((b"www-authenticate", b"Bearer"),)
_BEARER = "bearer "


class UnverifiedError(RefusedError):
    """A token came that must be verified first. Who can wait does so by `Access.verify`, and asks again."""

    def __init__(self) -> None:
        reason = "the token has not been verified yet; try again"
        super().__init__(503, [Flaw(reason=reason)], [(b"retry-after", b"1")])


class Access:
    """The way into one gateway: keys, tokens, or both.

    Args:
        clock: Tells which keys and tokens have expired.
        keys: The API keys; None where there are none.
        tokens: The tokens of an issuer; None where there is none.
    """

    def __init__(
        self, clock: Clock, *, keys: Keys | None = None, tokens: Tokens | None = None
    ) -> None:
        self._clock = clock
        self._keys = keys
        self._tokens = tokens

    @property
    def unready(self) -> str:
        """Why nobody can come in, or empty."""
        tokens = self._tokens
        return tokens.problem if tokens and not tokens.is_able and self._keys is None else ""

    @property
    def warning(self) -> str:
        """What is not in order though somebody can come in, or empty."""
        return self._tokens.problem if self._tokens and not self.unready else ""

    @property
    def scheme(self) -> str:
        """What to send, in words."""
        if self._tokens is None:
            return "an API key"
        return "a token" if self._keys is None else "an API key or a token"

    def require(self, request: Request, model: str) -> str:
        """Return whose key or token a request brings, empty where it needs none; refuse one that nothing allows.

        Args:
            request: The request.
            model: Name of the model that is served.

        Raises:
            UnverifiedError: It brings a token that must be verified first.
            RefusedError: 401 there is no key, or nobody knows it; 403 it allows something else.
        """
        if request.path in PROBES:
            return ""
        given = _given(request)
        if not given:
            reason = (
                f"the request has no credentials; send {self.scheme} as Authorization: Bearer …"
            )
            raise RefusedError(401, [Flaw(reason=reason)], _CHALLENGE)
        grant = self._find(given)
        if grant.expires is not None and grant.expires <= self._clock.wall():
            raise refuse_token(f"{grant.who} has expired")
        verb = verb_of(request)
        models = grant.allowed.get(verb)
        if models is None:
            allows = ", ".join(grant.allowed) or "nothing here"
            raise _insufficient(f"{grant.who} allows {allows}, not {verb}", verb)
        if models and model not in models:
            raise _insufficient(f"{grant.who} is not for the model {model!r}", verb)
        return grant.who

    async def verify(self, request: Request) -> None:
        """Verify the token of a request, so that `require` knows it.

        Raises:
            RefusedError: 401 it is not one that this gateway takes; 503 it cannot be verified at the moment.
        """
        if self._tokens is not None:
            await self._tokens.verify(_given(request))

    async def run(self) -> None:
        """Follow the file of keys and the issuer's keys, until cancelled."""
        following = [one.run() for one in (self._keys, self._tokens) if one is not None]
        await asyncio.gather(*following)

    def _find(self, given: str) -> Grant:
        """Return what this key or token allows.

        Raises:
            UnverifiedError: It is a token that must be verified first.
            RefusedError: 401; nobody knows it.
        """
        digest = sha256_bytes(given.encode())
        grant = None if self._keys is None else self._keys.find(digest)
        if grant is not None:
            return grant
        if self._tokens is None:
            raise RefusedError(401, [Flaw(reason="nobody here knows this API key")], _CHALLENGE)
        grant = self._tokens.find(digest)
        if grant is not None:
            return grant
        if is_token(given):
            raise UnverifiedError
        known = "" if self._keys is None else ", nor an API key that anybody here knows"
        raise refuse_token(f"this is no signed token (three parts with dots between them){known}")


def verb_of(request: Request) -> Verb:
    """Return what a request wants to do."""
    if found := _VERBS.get(request.path):
        return found
    return "predict" if request.method == "POST" else "read"


def _given(request: Request) -> str:
    """Return the key or token that a request brings, or nothing."""
    given = request.header(b"authorization")
    given = given[len(_BEARER) :] if given.lower().startswith(_BEARER) else ""
    return given.strip() or request.header(b"x-api-key")


def _insufficient(reason: str, verb: Verb) -> RefusedError:
    challenge = f'Bearer error="insufficient_scope", scope="{SCOPE}:{verb}"'.encode()
    return RefusedError(403, [Flaw(reason=reason)], [(b"www-authenticate", challenge)])
