"""A gateway beside a real OpenID Connect provider: tokens it issued, forged ones, an outage, what is written down."""

import contextlib
import importlib.util
import json
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request

import jwt
import pytest
from tests.adapters.token_signing import by_hand, rsa_key, sign
from tests.gateway.command import running

from setpoint.adapters.key_file import KeyFile
from setpoint.facts.api_key import ApiKey

CLIENT = "churn-gateway"
BACK = "http://localhost/back"
SCOPES = ["setpoint:predict:churn", "setpoint:metrics"]


class Provider:
    """The provider of oidc-provider-mock (Authlib) as a process of its own."""

    def __init__(self):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            self.port = taken.getsockname()[1]
        self.issuer = f"http://localhost:{self.port}"
        self.start()

    def start(self):
        self.process = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-m", "oidc_provider_mock", "--port", str(self.port)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        deadline = time.perf_counter() + 20
        while True:
            with contextlib.suppress(OSError):
                return _ask(f"{self.issuer}/.well-known/openid-configuration")
            assert time.perf_counter() < deadline, "the provider did not start"
            time.sleep(0.05)

    def stop(self):
        self.process.kill()
        self.process.wait()

    def token(self, subject, scopes):
        """Let somebody log in, and return the signed token that comes of it."""
        claims = json.dumps({"setpoint": scopes}).encode()
        kind = {"Content-Type": "application/json"}
        _ask(f"{self.issuer}/users/{subject}", claims, kind, "PUT")
        wish = {"client_id": CLIENT, "redirect_uri": BACK, "response_type": "code"}
        wish |= {"scope": "openid", "state": "x"}
        query = urllib.parse.urlencode(wish)
        form = urllib.parse.urlencode({"sub": subject}).encode()
        place = _ask(f"{self.issuer}/oauth2/authorize?{query}", form)
        code = urllib.parse.parse_qs(urllib.parse.urlsplit(place).query)["code"][0]
        wish = {"grant_type": "authorization_code", "code": code, "redirect_uri": BACK}
        wish |= {"client_id": CLIENT, "client_secret": "any"}
        form = urllib.parse.urlencode(wish).encode()
        return json.loads(_ask(f"{self.issuer}/oauth2/token", form))["id_token"]


class _Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None


def _ask(url, data=None, headers=None, method=None):
    """Return the body of an answer, or where it redirects to."""
    request = urllib.request.Request(url, data, headers or {}, method=method)  # noqa: S310 (our own provider)
    try:
        with urllib.request.build_opener(_Stay).open(request, timeout=10) as answer:
            return answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            if error.code not in (302, 303):
                raise
            return error.headers["Location"]


@pytest.fixture(scope="module")
def provider():
    if importlib.util.find_spec("oidc_provider_mock") is None:
        pytest.skip("oidc-provider-mock is not installed")
    found = Provider()
    yield found
    found.stop()


@pytest.fixture
def served(project):
    project.add(1)
    project.deploy(1, {1: 1.0})
    return project


def start(provider, served, *words, env=None):
    given = ("--deployment", served.path, "--oidc-issuer", provider.issuer)
    given += ("--oidc-audience", CLIENT, "--oidc-scopes-claim", "setpoint", *words)
    return running(*given, cwd=served.folder, env=env)


def test_tokens_of_the_provider_open_what_their_scopes_say(provider, served, row):
    token = provider.token("ann", SCOPES)
    with start(provider, served) as gateway:
        gateway.until_ready()
        assert gateway.status("/predict", row, token) == 200
        assert gateway.status("/metrics", None, token) == 200
        status, headers, content = gateway.ask("/outcomes", {}, token)
        assert (status, "allows predict, metrics, not outcomes" in content["error"]) == (403, True)
        assert "insufficient_scope" in headers["www-authenticate"]
        status, headers, _ = gateway.ask("/predict", row)
        assert (status, headers["www-authenticate"]) == (401, "Bearer")
        other = provider.token("bob", ["setpoint:predict:fraud"])
        status, _, content = gateway.ask("/predict", row, other)
        assert (status, "not for the model 'churn'" in content["error"]) == (403, True)


def test_forged_tokens_are_refused_and_no_token_is_written_down(provider, served, row, tmp_path):
    token = provider.token("ann", SCOPES)
    header = jwt.get_unverified_header(token)
    claims = jwt.decode(token, options={"verify_signature": False})
    stranger = rsa_key()
    forged = {
        "alg none": by_hand({**header, "alg": "none"}, claims),
        "another key": sign(stranger, claims, kid=header.get("kid")),
        "key of its own": sign(stranger, claims, kid="mine", jwk={"kty": "RSA"}),
        "kid that is a path": sign(stranger, claims, kid="../../dev/null"),
        "shared secret": by_hand({**header, "alg": "HS256"}, claims, b"x" * 32),
        "altered": ".".join((*token.split(".")[:2], "AAAA" + token.split(".")[2][4:])),
        "oversized": "a." + "b" * 20_000 + ".c",
        "opaque": "opaque-token",
    }
    log = tmp_path / "access.jsonl"
    with start(provider, served, "--access-log", log) as gateway:
        gateway.until_ready()
        for name, one in forged.items():
            status, headers, content = gateway.ask("/predict", row, one)
            assert (name, status) == (name, 401)
            assert headers["www-authenticate"] == 'Bearer error="invalid_token"'
            assert one not in json.dumps(content)
        assert gateway.status("/predict", row, token) == 200
        _, errors = gateway.stop()
    written = errors + log.read_text()
    assert '"/predict"' in written
    for one in (token, *forged.values()):
        assert one not in written
        assert one.rpartition(".")[2] not in written or len(one.rpartition(".")[2]) < 10


def test_known_tokens_outlive_the_provider_and_keys_stand_beside_them(
    provider, served, row, tmp_path
):
    token, later = provider.token("ann", SCOPES), provider.token("ann", [*SCOPES, "x"])
    key = KeyFile(tmp_path / "keys.json").add(ApiKey(name="ann", digest=""))
    with start(provider, served, "--keys", tmp_path / "keys.json") as gateway:
        gateway.until_ready()
        assert gateway.status("/predict", row, token) == 200
        provider.stop()
        try:
            assert gateway.status("/predict", row, token) == 200
            assert gateway.status("/predict", row, later) == 200
            assert gateway.status("/predict", row, key) == 200
        finally:
            provider.start()


def test_gateway_starts_without_its_issuer_and_says_so(provider, served, row):
    token = provider.token("ann", SCOPES)
    provider.stop()
    try:
        with start(provider, served) as gateway:
            gateway.until(lambda: "nobody can come in" in str(gateway.ask("/readyz")[2]))
            status, headers, content = gateway.ask("/predict", row, token)
            assert (status, headers["retry-after"]) == (503, "5")
            assert "nobody listens there" in content["error"]
            provider.start()
            gateway.until_ready()
            fresh = provider.token("ann", SCOPES)  # it has made itself a new key
            gateway.until(lambda: gateway.status("/predict", row, fresh) == 200)
    finally:
        if provider.process.poll() is not None:
            provider.start()


def test_environment_names_the_issuer_too(provider, served, row):
    env = {
        "SETPOINT_OIDC_ISSUER": provider.issuer,
        "SETPOINT_OIDC_AUDIENCE": f"other {CLIENT}",
        "SETPOINT_OIDC_SCOPES_CLAIM": "setpoint",
    }
    with running("--deployment", served.path, cwd=served.folder, env=env) as gateway:
        gateway.until_ready()
        assert gateway.status("/predict", row, provider.token("ann", SCOPES)) == 200
        assert gateway.status("/predict", row) == 401
