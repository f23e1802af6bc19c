"""Tests of an issuer's keys: found by discovery, changed, withheld, claimed by somebody else."""

import json

import pytest
from tests.adapters.token_signing import AUDIENCE, NOW, claims, jwk, rsa_key, sign
from tests.adapters.web_server import serving

from setpoint.adapters.oidc_issuer import OidcIssuer
from setpoint.adapters.web_fetch import WebFetcher
from setpoint.errors import FetchError, UnknownSignerError, UsageError
from setpoint.facts.token_rule import TokenRule

OLD, NEW = rsa_key(), rsa_key()
DISCOVERY = "/realm/.well-known/openid-configuration"


@pytest.fixture
def server():
    with serving() as found:
        publish(found, {"old": OLD})
        yield found


@pytest.fixture
def issuer(server):
    fetcher = WebFetcher(2.0)
    yield OidcIssuer(TokenRule(server.url + "/realm", (AUDIENCE,)), fetcher)
    fetcher.close()


def publish(server, keys, **changes):
    told = {"issuer": server.url + "/realm", "jwks_uri": server.url + "/keys"} | changes
    server.pages[DISCOVERY] = json.dumps(told).encode()
    listed = [jwk(key, kid) for kid, key in keys.items()]
    server.pages["/keys"] = json.dumps({"keys": listed}).encode()


def token(server, key=OLD, kid="old"):
    return sign(key, claims(iss=server.url + "/realm"), kid=kid)


def test_keys_are_found_by_discovery(server, issuer):
    with pytest.raises(UnknownSignerError):
        issuer.grant(token(server), NOW)
    assert issuer.fetch() is True
    assert issuer.grant(token(server), NOW).allowed
    assert server.paths() == [DISCOVERY, "/keys"]


def test_same_keys_are_no_change_and_rotated_ones_are(server, issuer):
    issuer.fetch()
    assert issuer.fetch() is False
    publish(server, {"old": OLD, "new": NEW})
    assert issuer.fetch() is True
    assert issuer.grant(token(server, NEW, "new"), NOW).allowed
    publish(server, {"new": NEW})
    assert issuer.fetch() is True
    with pytest.raises(UnknownSignerError):
        issuer.grant(token(server), NOW)


@pytest.mark.parametrize(
    ("page", "reason"),
    [
        ((500, {}, b""), "answers 500"),
        ((302, {"Location": "/elsewhere"}, b""), "redirects elsewhere"),
        (b"{", "is no JSON"),
        (b"[" * 100_000, "is no JSON"),
        (b"[]", "is no JSON object"),
        (b"x" * 1_000_001, "more than 1,000,000"),
    ],
)
@pytest.mark.parametrize("path", [DISCOVERY, "/keys"])
def test_broken_documents_say_why_and_keep_the_keys_of_before(server, issuer, path, page, reason):
    issuer.fetch()
    server.pages[path] = page
    with pytest.raises(FetchError, match=reason):
        issuer.fetch()
    assert issuer.grant(token(server), NOW).allowed


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"issuer": "https://evil.example"}, "speaks for the issuer 'https://evil.example'"),
        ({"issuer": None}, "speaks for the issuer"),
        ({"jwks_uri": "http://192.0.2.1/keys"}, "tokens need https"),
        ({"jwks_uri": "file:///etc/keys"}, "is no http:// or https:// address"),
        ({"jwks_uri": None}, "is no http:// or https:// address"),
    ],
)
def test_discovery_that_speaks_for_others_is_refused(server, issuer, changes, reason):
    publish(server, {"old": OLD}, **changes)
    with pytest.raises(FetchError, match=reason):
        issuer.fetch()


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        ("http://issuer.example", "tokens need https"),
        ("http://localhost.issuer.example", "tokens need https"),
        ("issuer.example", "no http:// or https:// address"),
        ("https://u:p@issuer.example", "without a query, a user and a password"),
        ("https://issuer.example?x=1", "without a query, a user and a password"),
        ("https://issuer.example:99999", "no address"),
    ],
)
def test_issuers_must_be_private_addresses(address, reason):
    with pytest.raises(UsageError, match=reason):
        OidcIssuer(TokenRule(address, (AUDIENCE,)))


def test_issuer_of_this_machine_may_be_plain():
    for address in ("http://localhost:9", "http://127.0.0.1:9", "http://[::1]:9/x"):
        OidcIssuer(TokenRule(address, (AUDIENCE,)))
