"""Tests of tokens at the way in: verified once, rotated keys, an issuer that is down, storms of strangers."""

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from setpoint.adapters.key_file import KeyFile
from setpoint.clock import ManualClock
from setpoint.errors import FetchError, TokenError, UnknownSignerError
from setpoint.facts.api_key import ApiKey
from setpoint.facts.grant import Grant, allowed_by
from setpoint.gateway.access import tokens as tokens_module
from setpoint.gateway.access.access import Access, UnverifiedError
from setpoint.gateway.access.keys import Keys
from setpoint.gateway.access.tokens import Tokens
from setpoint.gateway.wire.exchange import Request
from setpoint.gateway.wire.refusal import RefusedError

GOOD = "header.claims.signature"


class FakeIssuer:
    """Takes tokens that end with one of its keys."""

    def __init__(self):
        self.published = {"signature"}
        self.keys = set()
        self.fetches = 0
        self.checks = 0
        self.fault = None
        self.hold = threading.Event()
        self.hold.set()
        self.scopes = ["setpoint:predict"]
        self.expires = 1000.0
        self.closed = False

    def close(self):
        self.closed = True
        self.hold.set()

    def fetch(self):
        self.fetches += 1
        self.hold.wait(10)
        if self.fault is not None:
            raise self.fault
        changed = self.keys != self.published
        self.keys = set(self.published)
        return changed

    def grant(self, token, now):
        del now
        self.checks += 1
        key = token.rpartition(".")[2]
        if key == "forged":
            raise TokenError("its signature is not that of the key it names")
        if key not in self.keys:
            raise UnknownSignerError(
                "the token is signed by a key that its issuer does not publish"
            )
        return Grant(
            who="the token of 'job'", allowed=allowed_by(self.scopes), expires=self.expires
        )


@pytest.fixture
def issuer():
    return FakeIssuer()


@pytest.fixture
def clock():
    return ManualClock(100.0)


@pytest.fixture
def told():
    return []


@pytest.fixture
def tokens(issuer, clock, told):
    with ThreadPoolExecutor(1) as executor:
        yield Tokens(issuer, executor, clock, told.append)


@pytest.fixture
def access(tokens, clock):
    return Access(clock, tokens=tokens)


def ask(token=GOOD, path="/predict", method="POST", header=b"authorization", prefix="Bearer "):
    return Request(method, path, {header: f"{prefix}{token}".encode()} if token else {})


async def admit(access, request, model="churn"):
    """Let a request in as the application does."""
    try:
        access.require(request, model)
    except UnverifiedError:
        await access.verify(request)
        access.require(request, model)


async def until(condition):
    while not condition():  # noqa: ASYNC110 (a thread changes it, not a task)
        await asyncio.sleep(0.005)


def refused(access, request, model="churn"):
    with pytest.raises(RefusedError) as error:
        asyncio.run(admit(access, request, model))
    given = request.header(b"authorization").removeprefix("Bearer ")
    assert not given or given not in str(error.value) + repr(error.value.headers)
    return error.value


def test_token_is_verified_once_and_then_known(access, issuer):
    async def whole():
        for _ in range(5):
            await admit(access, ask())
        access.require(ask(prefix="", header=b"x-api-key"), "churn")

    asyncio.run(whole())
    assert (issuer.fetches, issuer.checks) == (1, 2)


def test_who_does_not_wait_lets_nobody_in(access):
    with pytest.raises(UnverifiedError) as error:
        access.require(ask(), "churn")
    assert error.value.status == 503


def test_forged_token_is_401_with_a_challenge_every_time(access):
    for _ in range(2):
        error = refused(access, ask("header.claims.forged"))
        assert error.status == 401
        assert (b"www-authenticate", b'Bearer error="invalid_token"') in error.headers


@pytest.mark.parametrize("token", ["opaque", "a.b", "a.b.c.d.e", "sp_key"])
def test_what_is_no_signed_token_is_401_and_asks_nobody(access, issuer, token):
    assert refused(access, ask(token)).status == 401
    assert (issuer.fetches, issuer.checks) == (0, 0)


def test_no_credentials_are_401_and_say_what_to_send(access, tokens, tmp_path, clock):
    error = refused(access, ask(""))
    assert (error.status, error.headers) == (401, ((b"www-authenticate", b"Bearer"),))
    assert "send a token as Authorization: Bearer" in str(error)
    KeyFile(tmp_path / "keys.json").add(ApiKey(name="ann", digest=""))
    both = Access(clock, keys=Keys(tmp_path / "keys.json"), tokens=tokens)
    assert "send an API key or a token" in str(refused(both, ask("")))


def test_oversized_token_is_refused_before_anybody_reads_it(access, issuer):
    error = refused(access, ask("a.b." + "c" * 16_384))
    assert (error.status, issuer.checks) == (401, 0)
    assert "longer than" in str(error)


def test_scopes_are_held_per_verb_and_model(access, issuer):
    issuer.scopes = ["setpoint:predict:churn", "setpoint:read"]
    asyncio.run(admit(access, ask()))
    access.require(ask(path="/v2/models/churn", method="GET"), "fraud")
    other = refused(access, ask(), "fraud")
    assert (other.status, "not for the model 'fraud'" in str(other)) == (403, True)
    error = refused(access, ask(path="/outcomes"))
    assert (error.status, "allows predict, read, not outcomes" in str(error)) == (403, True)
    challenge = b'Bearer error="insufficient_scope", scope="setpoint:outcomes"'
    assert error.headers == ((b"www-authenticate", challenge),)


def test_token_without_our_scopes_is_403(access, issuer):
    issuer.scopes = ["openid", "email"]
    error = refused(access, ask())
    assert (error.status, "allows nothing here" in str(error)) == (403, True)


def test_token_ends_when_it_expires_though_it_is_known(access, clock):
    asyncio.run(admit(access, ask()))
    clock.put(1000.0)
    error = refused(access, ask())
    assert (error.status, "has expired" in str(error)) == (401, True)


def test_probes_need_no_token(access):
    access.require(ask("", "/readyz", "GET"), "churn")


def test_keys_and_tokens_open_side_by_side(tokens, clock, tmp_path):
    key = KeyFile(tmp_path / "keys.json").add(ApiKey(name="ann", digest=""))
    access = Access(clock, keys=Keys(tmp_path / "keys.json"), tokens=tokens)
    asyncio.run(admit(access, ask(key)))
    asyncio.run(admit(access, ask()))
    error = refused(access, ask("sp_unknown"))
    assert (error.status, "nor an API key that anybody here knows" in str(error)) == (401, True)


def test_rotated_key_is_fetched_while_the_request_waits(access, issuer, monkeypatch):
    monkeypatch.setattr(tokens_module, "_APART_S", 0.0)
    asyncio.run(admit(access, ask()))
    issuer.published = {"signature", "new"}
    asyncio.run(admit(access, ask("header.claims.new")))
    assert issuer.fetches == 2


def test_withdrawn_key_ends_its_known_tokens(access, tokens, issuer):
    asyncio.run(admit(access, ask()))
    issuer.published = {"new"}
    asyncio.run(tokens._fetch())
    assert refused(access, ask()).status == 401


def test_unknown_keys_ask_the_issuer_once_within_seconds(access, issuer):
    async def storm():
        asked = (admit(access, ask(f"h.c.unknown{number}")) for number in range(50))
        return await asyncio.gather(*asked, return_exceptions=True)

    for _ in range(3):
        assert {error.status for error in asyncio.run(storm())} == {401}
    assert issuer.fetches == 1


def test_who_comes_during_a_fetch_waits_for_it_and_others_do_not(access, issuer):
    async def whole():
        await admit(access, ask())
        access._tokens._next_at = 0.0
        issuer.published |= {"new"}
        issuer.hold.clear()
        waiting = [asyncio.create_task(admit(access, ask("h.c.new"))) for _ in range(20)]
        await asyncio.sleep(0.05)
        assert not any(task.done() for task in waiting)
        await asyncio.wait_for(admit(access, ask()), 0.05)
        issuer.hold.set()
        await asyncio.gather(*waiting)

    asyncio.run(whole())
    assert issuer.fetches == 2


def test_issuer_that_is_down_leaves_known_keys_in_force(access, tokens, issuer, told):
    asyncio.run(admit(access, ask()))
    issuer.fault = FetchError("nobody listens there")
    for _ in range(3):
        asyncio.run(tokens._fetch())
    asyncio.run(admit(access, ask()))
    asyncio.run(admit(access, ask("another.token.signature")))
    error = refused(access, ask("h.c.new"))
    assert (error.status, dict(error.headers)[b"retry-after"]) == (503, b"5")
    assert "1970-01-01 00:01 UTC: nobody listens there" in str(error)
    assert (access.unready, "nobody listens there" in access.warning) == ("", True)
    assert len(told) == 1
    issuer.fault = None
    asyncio.run(tokens._fetch())
    assert (told[-1], access.warning) == ("", "")


def test_gateway_that_never_reached_its_issuer_is_unready_unless_keys_open_it(
    access, tokens, issuer, clock, tmp_path
):
    issuer.fault = FetchError("nobody listens there")
    assert refused(access, ask()).status == 503
    assert refused(access, ask()).status == 503
    assert issuer.fetches == 1
    assert "nobody listens there" in access.unready
    KeyFile(tmp_path / "keys.json").add(ApiKey(name="ann", digest=""))
    both = Access(clock, keys=Keys(tmp_path / "keys.json"), tokens=tokens)
    assert (both.unready, "nobody listens there" in both.warning) == ("", True)


def test_defect_of_the_fetch_is_told_and_tried_again(access, issuer):
    issuer.fault = RuntimeError("odd")
    assert "RuntimeError: odd" in str(refused(access, ask()))


def test_known_tokens_are_bounded(access, tokens, monkeypatch):
    monkeypatch.setattr(tokens_module, "_KNOWN", 3)
    for number in range(10):
        asyncio.run(admit(access, ask(f"{number}.c.signature")))
    assert len(tokens._known) == 3


def test_keys_are_fetched_at_the_start_and_sooner_after_a_failure(tokens, issuer, monkeypatch):
    monkeypatch.setattr(tokens_module, "_PAUSES_S", (0.01,))
    issuer.fault = FetchError("down")

    async def whole():
        running = asyncio.create_task(tokens.run())
        await until(lambda: issuer.fetches >= 3)
        issuer.fault = None
        await until(lambda: tokens.is_able)
        fetched = issuer.fetches
        await asyncio.sleep(0.05)
        assert issuer.fetches == fetched
        running.cancel()
        await asyncio.wait([running])
        assert issuer.closed

    asyncio.run(asyncio.wait_for(whole(), 10))
