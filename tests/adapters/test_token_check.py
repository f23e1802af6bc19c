"""Tests of token checking: forgeries, strangers, wrong times, odd claims; and what a good one allows."""

import hashlib
import hmac
import json

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st
from tests.adapters.token_signing import (
    AUDIENCE,
    ISSUER,
    NOW,
    by_hand,
    claims,
    ec_key,
    ed_key,
    jwk,
    rsa_key,
    sign,
)

from setpoint.adapters.token_check import check_token, read_keys
from setpoint.errors import FetchError, TokenError, UnknownSignerError
from setpoint.facts.token_rule import TokenRule

RULE = TokenRule(ISSUER, (AUDIENCE, "other-audience"))
KEY = rsa_key()
KEYS = read_keys({"keys": [jwk(KEY)]})


def check(token, keys=KEYS, rule=RULE, now=NOW):
    return check_token(token, rule, keys, now)


def refused(token, **more):
    with pytest.raises(TokenError) as error:
        check(token, **more)
    assert token not in str(error.value)
    return str(error.value)


def test_good_token_allows_what_its_scopes_say_until_it_expires():
    grant = check(sign(KEY))
    assert grant.allowed == {"predict": frozenset()}
    assert grant.expires == NOW + 300 + RULE.leeway_s
    assert "batch-job" in grant.who


@pytest.mark.parametrize(
    ("private", "algorithm"),
    [
        (KEY, "RS512"),
        (KEY, "PS256"),
        (ec_key(), "ES256"),
        (ec_key(ec.SECP384R1()), "ES384"),
        (ed_key(), "EdDSA"),
    ],
    ids=["RS512", "PS256", "ES256", "ES384", "EdDSA"],
)
def test_public_key_algorithms_are_taken(private, algorithm):
    keys = read_keys({"keys": [jwk(private)]})
    assert check(sign(private, algorithm=algorithm), keys).allowed


def test_algorithm_none_is_refused():
    for name in ("none", "None", "NONE", "nOnE"):
        for signature in (b"", b"x"):
            token = by_hand({"alg": name, "kid": "k1", "typ": "JWT"}, claims(), signature)
            assert "is not one that is taken" in refused(token)


def test_shared_secret_made_of_the_public_key_is_refused():
    public = KEY.public_key()
    secrets = [
        public.public_bytes(serialization.Encoding.PEM, form)
        for form in (
            serialization.PublicFormat.SubjectPublicKeyInfo,
            serialization.PublicFormat.PKCS1,
        )
    ]
    secrets += [json.dumps(jwk(KEY)).encode(), jwk(KEY)["n"].encode(), b""]
    for secret in secrets:
        for algorithm, digest in (("HS256", hashlib.sha256), ("HS512", hashlib.sha512)):
            unsigned = by_hand({"alg": algorithm, "kid": "k1"}, claims()).rpartition(".")[0]
            signature = hmac.new(secret, unsigned.encode(), digest).digest()
            token = unsigned + "." + by_hand({}, {}, signature).rpartition(".")[2]
            assert "is not one that is taken" in refused(token)


def test_algorithm_of_another_key_type_is_refused():
    keys = read_keys({"keys": [jwk(KEY, "rsa"), jwk(ec_key(), "ec")]})
    assert "is not one that is taken" in refused(sign(KEY, kid="ec"), keys=keys)
    assert "is not one that is taken" in refused(
        sign(ec_key(), kid="rsa", algorithm="ES256"), keys=keys
    )


def test_key_that_names_its_algorithm_is_used_with_no_other():
    keys = read_keys({"keys": [jwk(KEY, alg="RS256")]})
    assert check(sign(KEY), keys).allowed
    assert "is not one that is taken" in refused(sign(KEY, algorithm="PS256"), keys=keys)


def test_token_of_another_key_is_refused_though_it_names_ours():
    assert "its signature is not" in refused(sign(rsa_key()))


def test_altered_claims_are_refused():
    header, _, signature = sign(KEY).split(".")
    payload = by_hand({}, claims(scope="setpoint:metrics")).split(".")[1]
    assert "its signature is not" in refused(f"{header}.{payload}.{signature}")


def test_key_in_the_token_itself_is_not_read():
    stranger = rsa_key()
    for header in ({"jwk": jwk(stranger)}, {"jku": "https://evil.example/k"}, {"x5u": "file:///k"}):
        assert "its signature is not" in refused(sign(stranger, **header))


@pytest.mark.parametrize(
    "kid", ["../../../../dev/null", "/etc/passwd", "' OR 1=1 --", "k1\x00", "K1", "", "x" * 5000]
)
def test_kid_is_a_name_and_nothing_else(kid):
    with pytest.raises(UnknownSignerError):
        check(sign(KEY, kid=kid))


def test_kid_that_is_no_text_is_refused():
    for kid in (["k1"], {"a": 1}, 1, True):
        refused(by_hand({"alg": "RS256", "kid": kid}, claims(), b"x"))


def test_token_without_a_kid_is_checked_by_the_only_key_of_its_algorithm():
    keys = read_keys({"keys": [jwk(KEY, ""), jwk(ec_key(), "ec")]})
    assert check(sign(KEY, kid=None), keys).allowed
    two = read_keys({"keys": [jwk(KEY, "a"), jwk(rsa_key(), "b")]})
    assert "names no key" in refused(sign(KEY, kid=None), keys=two)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"iss": "https://evil.example"}, "by another issuer"),
        ({"iss": ISSUER + "/"}, "by another issuer"),
        ({"iss": None}, "by another issuer"),
        ({"aud": "somebody"}, "for another audience"),
        ({"aud": ["somebody"]}, "for another audience"),
        ({"aud": []}, "has no aud"),
        ({"aud": None}, "has no aud"),
        ({"exp": None}, "has no exp"),
        ({"exp": NOW - 31}, "has expired"),
        ({"exp": 0}, "has expired"),
        ({"nbf": NOW + 31}, "not valid yet (nbf)"),
        ({"iat": NOW + 31}, "not valid yet (iat)"),
        ({"exp": "2099-01-01"}, "exp is no time"),
        ({"exp": True}, "exp is no time"),
        ({"exp": float("inf")}, "exp is no time"),
        ({"exp": float("nan")}, "exp is no time"),
        ({"exp": [NOW + 9]}, "exp is no time"),
        ({"exp": 10**400}, "exp is no time"),
        ({"nbf": -(10**400)}, "nbf is no time"),
        ({"nbf": "soon"}, "nbf is no time"),
    ],
)
def test_claims_must_be_ours_and_in_time(changes, reason):
    assert reason in refused(sign(KEY, claims(**changes)))


def test_clocks_may_differ_by_the_leeway():
    assert check(sign(KEY, claims(exp=NOW - 29))).allowed
    assert check(sign(KEY, claims(nbf=NOW + 29, iat=NOW + 29))).allowed


def test_one_of_several_audiences_is_enough():
    assert check(sign(KEY, claims(aud=["x", "other-audience"]))).allowed


def test_tokens_that_are_none_of_access_are_refused():
    assert "not an access token" in refused(sign(KEY, typ="logout+jwt"))
    assert "not an access token" in refused(by_hand({"alg": "RS256", "typ": 1}, claims()))
    assert check(sign(KEY, typ="at+jwt")).allowed


def test_critical_extensions_are_refused():
    known = by_hand({"alg": "RS256", "kid": "k1", "crit": ["b64"], "b64": True}, claims(), b"x")
    assert "crit" in refused(known)
    refused(sign(KEY, crit=["new"], new=1))


@pytest.mark.parametrize(
    ("name", "found", "scopes"),
    [
        ("scope", {"scope": "setpoint:read  setpoint:metrics"}, {"read", "metrics"}),
        ("scp", {"scp": ["setpoint:read", 7, None]}, {"read"}),
        ("realm_access.roles", {"realm_access": {"roles": ["setpoint:outcomes"]}}, {"outcomes"}),
        ("https://x.example/s", {"https://x.example/s": "setpoint:read"}, {"read"}),
        ("scp", {"scope": "setpoint:read"}, set()),
        ("scp", {"scp": {"setpoint:read": 1}}, set()),
        ("scp", {"scp": 7}, set()),
        ("a.b.c", {"a": {"b": "setpoint:read"}}, set()),
        ("scope", {"scope": "setpoint:all setpoint: setpoint:predict: xsetpoint:read"}, set()),
    ],
)
def test_scopes_are_read_from_the_claim_that_is_named(name, found, scopes):
    rule = TokenRule(ISSUER, (AUDIENCE,), name)
    assert set(check(sign(KEY, claims(scope=None) | found), rule=rule).allowed) == scopes


def test_scope_of_one_model_is_for_that_model():
    token = sign(KEY, claims(scope="setpoint:predict:churn setpoint:predict:fraud setpoint:read"))
    assert check(token).allowed == {"predict": frozenset({"churn", "fraud"}), "read": frozenset()}
    both = sign(KEY, claims(scope="setpoint:predict:churn setpoint:predict"))
    assert check(both).allowed == {"predict": frozenset()}


def test_keys_that_cannot_check_signatures_are_passed_over():
    good = jwk(KEY, "good")
    listed = [
        good,
        jwk(rsa_key(1024), "short"),
        jwk(KEY, "encrypts", use="enc"),
        jwk(KEY, "wraps", key_ops=["wrapKey"]),
        jwk(KEY, "hmac", alg="HS256"),
        jwk(ec_key(ec.SECP256K1()), "coin"),
        {"kty": "oct", "k": "c2VjcmV0", "kid": "secret"},
        {"kty": "RSA", "n": "AQAB", "kid": "broken"},
        {"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA", "kid": "off"},
        {"kty": "new", "kid": "new"},
        "text",
        None,
    ]
    assert [key.kid for key in read_keys({"keys": listed}).keys] == ["good"]
    with pytest.raises(FetchError, match="none of the issuer's 11 keys"):
        read_keys({"keys": listed[1:]})


@pytest.mark.parametrize(
    "document", [None, [], {}, {"keys": {}}, {"keys": []}, {"keys": [1] * 101}]
)
def test_what_is_no_key_set_is_refused(document):
    with pytest.raises(FetchError):
        read_keys(document)


@pytest.mark.parametrize(
    "token",
    ["", ".", "..", "a.b.c", "e30.e30.", "e30.e30.e30", "\x00.\x00.\x00", "é.é.é", "." * 99],
)
def test_what_is_no_token_is_refused(token):
    with pytest.raises(TokenError):
        check(token)


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=6,
)


@given(
    header=st.fixed_dictionaries({}, optional=dict.fromkeys(("alg", "kid", "typ", "b64"), _json)),
    content=st.fixed_dictionaries(
        {}, optional=dict.fromkeys(("iss", "aud", "exp", "scope"), _json)
    ),
)
def test_no_unsigned_token_is_taken_nor_does_one_crash(header, content):
    for changed in (content, claims() | content):
        with pytest.raises(TokenError):
            check(by_hand({"alg": "RS256", "kid": "k1"} | header, changed, b"signature"))


@given(
    changes=st.dictionaries(st.sampled_from(("aud", "exp", "nbf", "iat", "sub", "scope")), _json)
)
def test_no_signed_claim_crashes(changes):
    try:
        grant = check(sign(KEY, claims() | changes))
    except TokenError:
        return
    assert grant.expires > NOW
