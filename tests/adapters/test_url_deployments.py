"""Tests of the document at a URL: changed, unchanged, bad, gone, unreachable; and that nobody waits for it."""

import contextlib
import email.utils
import time

import msgspec
import pytest
from tests.adapters.web_server import serving

from setpoint.adapters.url_deployments import UrlDeployments
from setpoint.adapters.web_address import WebAddress
from setpoint.adapters.web_fetch import Wanted, WebFetcher
from setpoint.clock import ManualClock
from setpoint.errors import DeploymentError
from setpoint.facts.deployment import Deployed, Deployment

PATH = "/deployment.json"


def text(generation=1, **changes):
    deployed = Deployed(version=1, bundle="bundles/1", artifact="a" * 64)
    made = Deployment(
        model="churn",
        generation=generation,
        contract="c",
        prepare=(deployed,),
        weights={"1": 1.0},
        champion=1,
        **changes,
    )
    return msgspec.json.encode(made)


@pytest.fixture
def server():
    with serving() as found:
        yield found


@pytest.fixture
def opened(server):
    with contextlib.ExitStack() as stack:

        def open_(url=None, **more):
            wanted = Wanted(WebAddress.parse(url or server.url + PATH, "it"), 10_000, 2.0, **more)
            fetcher = WebFetcher(1.0)
            stack.callback(fetcher.close)
            return UrlDeployments(wanted, fetcher, 60.0, ManualClock(1_800_000_000.0))

        yield open_


@pytest.fixture
def documents(opened):
    """Deployments that look only when a test says so."""
    found = opened()
    found._start = lambda: None
    return found


def generation(documents):
    found = documents.current()
    return None if found is None else found.generation


def test_document_is_read_and_followed(server, documents):
    server.pages[PATH] = text(1)
    documents.look()
    before = documents.mark()
    assert (generation(documents), documents.trouble()) == (1, "")
    documents.look()
    assert documents.mark() == before
    server.pages[PATH] = text(2)
    documents.look()
    assert documents.mark() != before
    assert generation(documents) == 2


def test_unchanged_documents_are_not_sent_again(server, documents):
    def page(handler):
        if handler.headers.get("If-None-Match") == '"1"':
            return 304, {"ETag": '"1"'}, b""
        return 200, {"ETag": '"1"'}, text(1)

    server.pages[PATH] = page
    for _ in range(3):
        documents.look()
    assert [headers.get("If-None-Match") for _, headers in server.asked] == [None, '"1"', '"1"']
    assert (generation(documents), documents.trouble()) == (1, "")


@pytest.mark.parametrize(("age_s", "asked"), [(60, True), (2, True), (1, False), (0, False)])
def test_last_modified_is_believed_once_its_second_is_over(server, documents, age_s, asked):
    now = time.time()
    modified = email.utils.formatdate(int(now) - age_s, usegmt=True)
    headers = {"Last-Modified": modified, "Date": email.utils.formatdate(int(now), usegmt=True)}

    def page(handler):
        handler.send_response_only(200)
        for name, value in (headers | {"Content-Length": str(len(text()))}).items():
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(text())

    server.pages[PATH] = page
    documents.look()
    documents.look()
    assert ("If-Modified-Since" in server.asked[1][1]) is asked


@pytest.mark.parametrize(
    "bad", [b"{", b"[]", b'{"model": "churn"}', b"\xff", b"<html>login</html>"]
)
def test_bad_document_is_told_like_that_of_a_file(server, documents, bad):
    server.pages[PATH] = text(1)
    documents.look()
    server.pages[PATH] = bad
    before = documents.mark()
    documents.look()
    assert documents.mark() != before
    with pytest.raises(DeploymentError, match="is not a deployment document"):
        documents.current()
    server.pages[PATH] = text(2)
    documents.look()
    assert generation(documents) == 2


@pytest.mark.parametrize(
    ("page", "reason"),
    [
        ((500, {}, b""), "it answers 500"),
        ((404, {}, b""), "it answers 404"),
        ((401, {}, b""), "it answers 401; does it need SETPOINT_DEPLOYMENT_TOKEN?"),
        ((304, {}, b""), "it answers 304"),
        ((302, {"Location": "ftp://x/"}, b""), "it redirects"),
        (b"x" * 10_001, "more than 10,000"),
    ],
)
def test_what_cannot_be_fetched_keeps_the_last_document_and_is_told_from_the_third_miss(
    server, documents, page, reason
):
    server.pages[PATH] = text(1)
    documents.look()
    server.pages[PATH] = page
    for _ in range(2):
        documents.look()
        assert documents.trouble() == ""
    documents.look()
    assert reason in documents.trouble()
    assert "since 2027-01-15 08:00 UTC" in documents.trouble()
    assert generation(documents) == 1
    server.pages[PATH] = text(2)
    documents.look()
    assert (generation(documents), documents.trouble()) == (2, "")


def test_first_miss_is_told_at_once_and_no_document_yet_is_none(server, documents):
    documents.look()
    assert (documents.current(), documents.trouble()) == (None, "")
    server.pages[PATH] = (503, {}, b"")
    documents.look()
    assert "it answers 503" in documents.trouble()
    assert documents.current() is None


def test_server_that_is_gone_is_told(opened):
    with serving() as gone:
        url = gone.url
    documents = opened(url + PATH)
    documents._start = lambda: None
    documents.look()
    assert "nobody listens there" in documents.trouble()


def test_secrets_stand_in_no_message(server, opened):
    server.pages[PATH + "?sig=s3cret"] = b"{"
    url = server.url.replace("//", "//ann:hunter2@") + PATH + "?sig=s3cret"
    documents = opened(url)
    documents._start = lambda: None
    documents.look()
    with pytest.raises(DeploymentError) as error:
        documents.current()
    server.pages.clear()
    server.pages[PATH + "?sig=s3cret"] = (500, {}, b"")
    for _ in range(3):
        documents.look()
    for words in (str(error.value), documents.trouble()):
        assert words
        assert "hunter2" not in words
        assert "s3cret" not in words
    assert server.asked[0][1]["Authorization"].startswith("Basic ")


def test_nobody_waits_for_a_slow_server_but_who_asks_for_the_first_document(server, opened):
    def slow(handler):
        time.sleep(0.3)
        return 200, {}, text(1)

    server.pages[PATH] = slow
    documents = opened()
    started = time.perf_counter()
    documents.mark()
    documents.trouble()
    assert time.perf_counter() - started < 0.1
    assert generation(documents) == 1
    assert time.perf_counter() - started > 0.25
    documents.close()


def test_thread_outlives_a_defect(documents, monkeypatch):
    monkeypatch.setattr(documents._fetcher, "get", lambda _: 1 / 0)
    documents.look()
    assert "ZeroDivisionError" in documents.trouble()
