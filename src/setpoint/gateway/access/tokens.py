"""Tokens of one issuer: verified once, then known by their SHA-256 until they expire.

Rules:
1. What is fetched is fetched on a thread of its own. A request waits for it only where its token names a key that is
   not known yet, and that is asked for once for all who wait, and not again within seconds, whatever is sent.
2. An issuer that cannot be reached changes nothing for keys that are known: their tokens go on. A token by another key
   is then refused with 503, since nobody can say whether it is good.
3. When the issuer's keys change, every token is verified again: one by a key that was withdrawn ends there.
"""

import asyncio
import sys
from collections.abc import Callable
from concurrent.futures import Executor
from typing import Protocol

from setpoint.clock import Clock, say_tick
from setpoint.digest import sha256_bytes
from setpoint.errors import FetchError, TokenError, UnknownSignerError
from setpoint.facts.grant import Grant
from setpoint.gateway.wire.refusal import Flaw, RefusedError

_LONGEST = 16_384  # characters of a token; those of large organisations reach some thousands
_KNOWN = 10_000  # verified tokens that are remembered
_PARTS = 3
_RENEW_S = 300.0
_APART_S = 10.0  # between two fetches that unknown keys ask for
_PAUSES_S = (1.0, 2.0, 5.0, 10.0, 30.0)  # after fetches that failed


class Issuer(Protocol):
    """Who signs tokens."""

    def fetch(self) -> bool:
        """Fetch the issuer's keys and return whether they changed; blocks. Raises `FetchError`."""

    def close(self) -> None:
        """End a fetch that is under way; from any thread."""

    def grant(self, token: str, now: float) -> Grant:
        """Return what a token allows. Raises `TokenError`, and `UnknownSignerError` where its key is not known."""


class Tokens:
    """The tokens that one gateway process takes.

    Args:
        issuer: Who signs them.
        executor: A thread apart from the event loop.
        clock: Tells the time that tokens are held against.
        tell: Told once why the issuer's keys cannot be fetched, and an empty text when that ends.

    Attributes:
        problem: Why the issuer's keys cannot be fetched at the moment, or empty.
        is_able: Whether any keys are known.
    """

    def __init__(
        self,
        issuer: Issuer,
        executor: Executor,
        clock: Clock,
        tell: Callable[[str], None] | None = None,
    ) -> None:
        self.problem = "the issuer's keys are being fetched"
        self.is_able = False
        self._issuer = issuer
        self._executor = executor
        self._clock = clock
        self._tell = tell or _tell
        self._known: dict[str, Grant] = {}
        self._fetching: asyncio.Task[None] | None = None
        self._next_at = 0.0  # no fetch that an unknown key asks for begins before
        self._failing_since = ""
        self._failures = 0

    def find(self, digest: str) -> Grant | None:
        """Return what the verified token with this SHA-256 allows; None where it has not been verified."""
        return self._known.get(digest)

    async def verify(self, token: str) -> None:
        """Verify a token and remember what it allows.

        Raises:
            RefusedError: 401 it is not one that this gateway takes; 503 the key that signed it cannot be fetched.
        """
        if len(token) > _LONGEST:
            raise refuse_token(f"the token is longer than {_LONGEST:,} characters")
        try:
            grant = self._issuer.grant(token, self._clock.wall())
        except UnknownSignerError as error:
            await self._renew(error)
            grant = self._after_renewal(token)
        except TokenError as error:
            raise refuse_token(str(error)) from error
        while len(self._known) >= _KNOWN:
            del self._known[next(iter(self._known))]
        self._known[sha256_bytes(token.encode())] = grant

    async def run(self) -> None:
        """Fetch the issuer's keys now and every few minutes, sooner after a failure, until cancelled."""
        try:
            while True:
                await self._fetch()
                if not self._failures:
                    await asyncio.sleep(_RENEW_S)
                else:
                    await asyncio.sleep(_PAUSES_S[min(self._failures, len(_PAUSES_S)) - 1])
        finally:
            self._issuer.close()  # its thread must not outlast the gateway

    def _after_renewal(self, token: str) -> Grant:
        try:
            return self._issuer.grant(token, self._clock.wall())
        except TokenError as error:
            if self.problem and isinstance(error, UnknownSignerError):
                raise _unavailable(self.problem) from error
            raise refuse_token(str(error)) from error

    async def _renew(self, unknown: UnknownSignerError) -> None:
        """Fetch the issuer's keys for a token by a key that is not known, unless that was done just now.

        Raises:
            RefusedError: It was done just now: 401 the issuer has no such key, 503 it could not be reached.
        """
        if self._fetching is None and self._clock.stopwatch() < self._next_at:
            if self.problem:
                raise _unavailable(self.problem) from unknown
            raise refuse_token(str(unknown)) from unknown
        await self._fetch()

    async def _fetch(self) -> None:
        """Fetch the issuer's keys; who comes meanwhile waits for the same answer."""
        if self._fetching is None:
            self._fetching = asyncio.create_task(self._fetch_once())
            self._fetching.add_done_callback(self._forget)
        await asyncio.shield(self._fetching)

    def _forget(self, _: "asyncio.Task[None]") -> None:
        self._fetching = None

    async def _fetch_once(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            changed = await loop.run_in_executor(self._executor, self._issuer.fetch)
        except Exception as error:  # noqa: BLE001 (the task's outermost frame: the next fetch is tried all the same)
            self._fail(
                str(error) if isinstance(error, FetchError) else f"{type(error).__name__}: {error}"
            )
        else:
            self._succeed(changed=changed)
        self._next_at = self._clock.stopwatch() + (_APART_S if not self.problem else _PAUSES_S[0])

    def _fail(self, reason: str) -> None:
        if not self._failures:
            self._failing_since = say_tick(self._clock.wall(), "time")
        self._failures += 1
        problem = f"the issuer's keys cannot be fetched since {self._failing_since} UTC: {reason}"
        if problem != self.problem:
            self._tell(problem)
        self.problem = problem

    def _succeed(self, *, changed: bool) -> None:
        if self._failures:
            self._tell("")
        self._failures, self.problem, self.is_able = 0, "", True
        if changed:
            self._known.clear()


def is_token(text: str) -> bool:
    """Return whether a text has the form of a signed token."""
    return text.count(".") == _PARTS - 1


def refuse_token(reason: str) -> RefusedError:
    """Return the refusal of a key or token that is not taken, with the challenge of RFC 6750."""
    challenge = b'Bearer error="invalid_token"'
    return RefusedError(401, [Flaw(reason=reason)], [(b"www-authenticate", challenge)])


def _unavailable(problem: str) -> RefusedError:
    reason = f"the token cannot be verified at the moment: {problem}"
    return RefusedError(503, [Flaw(reason=reason)], [(b"retry-after", b"5")])


def _tell(problem: str) -> None:
    words = (
        f"{problem}; tokens by known keys go on"
        if problem
        else "the issuer's keys are fetched again"
    )
    sys.stderr.write(f"setpoint gateway: {words}\n")
    sys.stderr.flush()
