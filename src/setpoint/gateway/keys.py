"""Who may ask what: API keys, of which the file holds only the digests, read again when it changes.

A key is 32 random bytes as text, so its SHA-256 cannot be searched for. It is found by that digest, so an attacker who
measures time learns nothing of it.
"""

import asyncio
import sys
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import msgspec

from setpoint.clock import Clock
from setpoint.digest import sha256_bytes
from setpoint.errors import UsageError
from setpoint.facts.api_key import ApiKey, ApiKeys, Verb
from setpoint.gateway.exchange import Request
from setpoint.gateway.refusal import Flaw, RefusedError

PROBES = frozenset(
    {"/healthz", "/livez", "/readyz", "/health", "/ping", "/v2/health/live", "/v2/health/ready"}
)
"""Paths that are asked without a key: all they tell is whether the gateway answers."""

_POLL_S = 1.0
_VERBS: Mapping[str, Verb] = MappingProxyType({"/metrics": "metrics", "/outcomes": "outcomes"})
_CHALLENGE = ((b"www-authenticate", b"Bearer"),)
_BEARER = "bearer "
_decode = msgspec.json.Decoder(ApiKeys).decode


class Keys:
    """The keys of one gateway.

    Args:
        path: The file.
        clock: Tells which keys have expired.

    Raises:
        UsageError: The file cannot be read, or is none.
    """

    def __init__(self, path: Path, clock: Clock) -> None:
        self._path = path
        self._clock = clock
        self._mark = self._look()
        self._keys = read_keys(path)

    def require(self, request: Request, model: str) -> None:
        """Refuse a request that no key allows.

        Args:
            request: The request.
            model: Name of the model that is served.

        Raises:
            RefusedError: 401 there is no key, or nobody knows it; 403 it allows something else.
        """
        if request.path in PROBES:
            return
        given = request.header(b"authorization")
        given = given[len(_BEARER) :] if given.lower().startswith(_BEARER) else ""
        given = given.strip() or request.header(b"x-api-key")
        if not given:
            reason = "the request has no API key; send it as Authorization: Bearer KEY"
            raise RefusedError(401, [Flaw(reason=reason)], _CHALLENGE)
        key = self._keys.get(sha256_bytes(given.encode()))
        if key is None or (key.expires is not None and key.expires <= self._clock.wall()):
            reason = "nobody here knows this API key" if key is None else "this API key has expired"
            raise RefusedError(401, [Flaw(reason=reason)], _CHALLENGE)
        verb = verb_of(request)
        if verb not in key.verbs:
            reason = f"the API key of {key.name!r} allows {', '.join(key.verbs)}, not {verb}"
            raise RefusedError(403, [Flaw(reason=reason)])
        if key.models and model not in key.models:
            reason = f"the API key of {key.name!r} is not for the model {model!r}"
            raise RefusedError(403, [Flaw(reason=reason)])

    async def run(self, poll_s: float = _POLL_S) -> None:
        """Read the file again whenever it changes, until cancelled; one that cannot be read changes nothing."""
        while True:
            await asyncio.sleep(poll_s)
            mark = self._look()
            if mark == self._mark:
                continue
            self._mark = mark
            try:
                self._keys = read_keys(self._path)
            except UsageError as error:
                sys.stderr.write(f"setpoint gateway: {error}; the keys of before stay in force\n")

    def _look(self) -> tuple[int, int, int] | None:
        try:
            found = self._path.stat()
        except OSError:
            return None
        return found.st_mtime_ns, found.st_size, found.st_ino


def read_keys(path: Path) -> dict[str, ApiKey]:
    """Return the keys of a file by their digests.

    Raises:
        UsageError: The file cannot be read, or is none.
    """
    try:
        found = _decode(path.read_bytes())
    except (OSError, msgspec.DecodeError, UnicodeDecodeError) as error:
        msg = f"the API keys in {path} cannot be read: {error}"
        raise UsageError(msg) from error
    return {key.digest: key for key in found.keys}


def verb_of(request: Request) -> Verb:
    """Return what a request wants to do."""
    if found := _VERBS.get(request.path):
        return found
    return "predict" if request.method == "POST" else "read"
