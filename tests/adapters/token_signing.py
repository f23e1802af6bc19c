"""Keys and tokens of an issuer, good and forged."""

import base64
import json

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

ISSUER = "https://issuer.example"
AUDIENCE = "setpoint"
NOW = 1_800_000_000.0


def rsa_key(bits=2048):
    return rsa.generate_private_key(public_exponent=65537, key_size=bits)


def ec_key(curve=None):
    return ec.generate_private_key(curve or ec.SECP256R1())


def ed_key():
    return ed25519.Ed25519PrivateKey.generate()


def jwk(private, kid="k1", **fields):
    """Return the public JWK of a private key."""
    if isinstance(private, rsa.RSAPrivateKey):
        algorithm = jwt.algorithms.RSAAlgorithm
    elif isinstance(private, ec.EllipticCurvePrivateKey):
        algorithm = jwt.algorithms.ECAlgorithm
    else:
        algorithm = jwt.algorithms.OKPAlgorithm
    made = json.loads(algorithm.to_jwk(private.public_key()))
    made.pop("key_ops", None)
    return made | ({"kid": kid} if kid else {}) | fields


def claims(**changes):
    """Return the claims of a good token; None takes one away."""
    made = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": "batch-job",
        "iat": NOW - 10,
        "exp": NOW + 300,
        "scope": "openid setpoint:predict",
    } | changes
    return {name: value for name, value in made.items() if value is not None}


def sign(private, content=None, *, kid="k1", algorithm="RS256", **header):
    headers = ({"kid": kid} if kid is not None else {}) | header
    payload = json.dumps(claims() if content is None else content).encode()
    return jwt.PyJWS().encode(payload, private, algorithm=algorithm, headers=headers)


def by_hand(header, content, signature=b""):
    """Return a token made without a library, so that it may be wrong in any way."""
    parts = (json.dumps(header).encode(), json.dumps(content).encode(), signature)
    return ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts)
