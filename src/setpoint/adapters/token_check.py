"""Whether a bearer token is one of an issuer's: signature by PyJWT, claims against the clock that is given.

Rules:
1. Algorithms are fixed: signatures by public keys, never `none`, never a shared secret. A key checks only algorithms of
   its own type, and only its own where it names one.
2. The key is one that the issuer published. What a token says of keys (`jwk`, `jku`, `x5u`, `x5c`) is not read; its
   `kid` is looked up and nothing else.
3. `iss`, `aud` and `exp` must be there; `nbf` and `iat` count where they are. What no clock can be is refused.
4. An ID token is not meant for us: the audience tells it apart, and the type where it names one.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from setpoint.errors import FetchError, TokenError, UnknownSignerError
from setpoint.facts.grant import Grant, allowed_by
from setpoint.facts.token_rule import TokenRule

_RSA = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512")
_CURVES = {"secp256r1": "ES256", "secp384r1": "ES384", "secp521r1": "ES512"}
_ED25519 = ("EdDSA",)
_SHORTEST_RSA = 2048  # bits; RFC 7518 §3.3
_TYPES = frozenset({"jwt", "at+jwt", "application/jwt", "application/at+jwt"})
_MOST_KEYS = 100
_FURTHEST_S = 1e15  # from 1970; JSON has numbers that no float has, and NaN in Python
_SHOWN = 60  # characters of what a token says, in a message
_REASONS: tuple[tuple[type[Exception], str], ...] = (
    (jwt.InvalidSignatureError, "its signature is not that of the key it names"),
    (jwt.InvalidAudienceError, "it is for another audience"),
    (jwt.InvalidIssuerError, "it is by another issuer"),
)

PublicKey = rsa.RSAPublicKey | ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey


@dataclass(frozen=True)
class SigningKey:
    """One key of an issuer.

    Args:
        kid: Its name; empty where it has none.
        key: The public key.
        algorithms: What it may be used with.
    """

    kid: str
    key: PublicKey
    algorithms: tuple[str, ...]


@dataclass(frozen=True)
class SigningKeys:
    """The keys of an issuer.

    Args:
        keys: The keys.
        digest: SHA-256 over what they were read from.
    """

    keys: tuple[SigningKey, ...] = ()
    digest: str = ""

    def find(self, kid: object, algorithm: object) -> SigningKey:
        """Return the key that a token names; where it names none, the only one that its algorithm is of.

        Raises:
            UnknownSignerError: There is none of that name.
            TokenError: It is not used with that algorithm, or nothing says which one is meant.
        """
        if kid is not None and not isinstance(kid, str):
            raise TokenError("the token's kid is no text")
        named = [one for one in self.keys if kid is None or one.kid == kid]
        if not named:
            msg = "the token is signed by a key that its issuer does not publish"
            raise UnknownSignerError(msg)
        found = [one for one in named if algorithm in one.algorithms]
        if not found:
            raise TokenError(
                f"the token's algorithm {_cut(algorithm)} is not one that is taken with its key"
            )
        if len(found) > 1:
            raise TokenError("the token names no key, and its issuer has several")
        return found[0]


def check_token(token: str, rule: TokenRule, keys: SigningKeys, now: float) -> Grant:
    """Return what a token allows.

    Args:
        token: The token.
        rule: What it must be.
        keys: The issuer's keys.
        now: Seconds since 1970-01-01 UTC.

    Raises:
        UnknownSignerError: The issuer is not known to have its key.
        TokenError: It is not one that is taken.
    """
    header, unverified = _parts(token)
    if "crit" in header:
        raise TokenError("the token demands extensions (crit) that are not known here")
    kind = header.get("typ", "jwt")
    if not isinstance(kind, str) or kind.lower() not in _TYPES:
        raise TokenError(f"the token is of type {_cut(kind)}, not an access token")
    # Before its key is looked for: a stranger's token must not make anybody ask the issuer for keys.
    if unverified.get("iss") != rule.issuer:
        raise TokenError("the token is not taken: it is by another issuer")
    claims = _verified(token, rule, keys.find(header.get("kid"), header.get("alg")))
    expires = _require_in_time(claims, now, rule.leeway_s)
    return Grant(
        who=f"the token of {_cut(_subject(claims))}",
        allowed=allowed_by(_scopes(claims, rule.scopes_claim)),
        expires=expires,
    )


def read_keys(document: object) -> SigningKeys:
    """Return the keys of a JWK set (RFC 7517) that signatures can be checked with; others are passed over.

    Raises:
        FetchError: It is none, or no key in it can be used.
    """
    listed = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(listed, list) or len(listed) > _MOST_KEYS:
        msg = f"the issuer's keys are no JWK set of up to {_MOST_KEYS} keys"
        raise FetchError(msg)
    found = [key for entry in listed if (key := _signing_key(entry)) is not None]
    if not found:
        msg = (
            f"none of the issuer's {len(listed)} keys can check signatures "
            f"(RSA of {_SHORTEST_RSA} bits or more, EC on a NIST curve, Ed25519)"
        )
        raise FetchError(msg)
    text = json.dumps(listed, sort_keys=True)
    return SigningKeys(tuple(found), hashlib.sha256(text.encode()).hexdigest())


def _verified(token: str, rule: TokenRule, key: SigningKey) -> Mapping[str, Any]:
    try:
        return jwt.decode(
            token,
            key.key,
            algorithms=list(key.algorithms),
            audience=rule.audiences,
            issuer=rule.issuer,
            options={
                "require": ["exp", "iss", "aud"],
                # Times are held against the clock that is given, not PyJWT's own.
                "verify_exp": False,
                "verify_nbf": False,
                "verify_iat": False,
                "verify_sub": False,
                "verify_jti": False,
            },
        )
    except jwt.MissingRequiredClaimError as error:
        raise TokenError(f"the token has no {error.claim}") from error
    except (jwt.PyJWTError, ValueError, TypeError) as error:
        known = (words for kind, words in _REASONS if isinstance(error, kind))
        raise TokenError(f"the token is not taken: {next(known, 'it is malformed')}") from error


def _require_in_time(claims: Mapping[str, Any], now: float, leeway_s: float) -> float:
    """Refuse a token before and after its time, and return when it ends, leeway included."""
    expires = _moment(claims, "exp") + leeway_s
    if expires <= now:
        raise TokenError("the token has expired")
    for name in ("nbf", "iat"):
        if name in claims and _moment(claims, name) - leeway_s > now:
            raise TokenError(f"the token is not valid yet ({name})")
    return expires


def _signing_key(entry: object) -> SigningKey | None:
    """Return the key of a JWK; None where it is none that may check signatures here."""
    if not isinstance(entry, dict) or entry.get("kty") not in ("RSA", "EC", "OKP"):
        return None
    uses = entry.get("key_ops")
    if entry.get("use", "sig") != "sig" or (isinstance(uses, list) and "verify" not in uses):
        return None
    public = {name: value for name, value in entry.items() if name not in ("alg", "d")}
    try:
        key = jwt.PyJWK(public).key
    except (jwt.PyJWTError, ValueError, TypeError, KeyError):
        return None
    algorithms = _algorithms(key)
    if (own := entry.get("alg")) is not None:
        algorithms = tuple(name for name in algorithms if name == own)
    kid = entry.get("kid", "")
    if not algorithms or not isinstance(kid, str):
        return None
    return SigningKey(kid, key, algorithms)


def _algorithms(key: object) -> tuple[str, ...]:
    """Return what a key may be used with: only what its type is for."""
    if isinstance(key, rsa.RSAPublicKey):
        return _RSA if key.key_size >= _SHORTEST_RSA else ()
    if isinstance(key, ec.EllipticCurvePublicKey):
        found = _CURVES.get(key.curve.name)
        return (found,) if found else ()
    return _ED25519 if isinstance(key, ed25519.Ed25519PublicKey) else ()


def _parts(token: str) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """Return header and claims of a token, unverified.

    Raises:
        TokenError: It is no signed token.
    """
    try:
        header = jwt.get_unverified_header(token)
        claims = jwt.decode(token, options={"verify_signature": False})
    except (jwt.PyJWTError, ValueError, TypeError, RecursionError) as error:
        raise TokenError("the token cannot be read: it is no JSON Web Token") from error
    return header, claims


def _moment(claims: Mapping[str, Any], name: str) -> float:
    found = claims.get(name)
    if (
        isinstance(found, bool)
        or not isinstance(found, int | float)
        or not abs(found) < _FURTHEST_S
    ):
        raise TokenError(f"the token's {name} is no time")
    return float(found)


def _subject(claims: Mapping[str, Any]) -> object:
    """Return whom a token is of, as far as it says."""
    return next(
        (claims[name] for name in ("sub", "client_id", "azp") if name in claims), "somebody"
    )


def _scopes(claims: Mapping[str, Any], name: str) -> Iterable[str]:
    """Return the scopes of a claim; none where it is not there, or is neither text nor list."""
    found: object = claims
    if name in claims:
        found = claims[name]
    else:
        for step in name.split("."):
            found = found.get(step) if isinstance(found, Mapping) else None
    if isinstance(found, str):
        return found.split()
    if isinstance(found, Sequence):
        return [one for one in found if isinstance(one, str)]
    return []


def _cut(value: object) -> str:
    text = repr(value)
    return text if len(text) <= _SHOWN else text[:_SHOWN] + "…"
