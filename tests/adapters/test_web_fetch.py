"""Tests of fetching: what is too large, too slow, broken off, packed, led astray; and whom credentials reach."""

import contextlib
import http.client
import socket
import threading
import time

import pytest
from tests.adapters.web_server import WebServer, make_certificate, serving

from setpoint.adapters.web_address import WebAddress
from setpoint.adapters.web_fetch import Wanted, WebFetcher
from setpoint.errors import FetchError


@pytest.fixture
def server():
    with serving() as found:
        yield found


@pytest.fixture
def fetcher(monkeypatch):
    for name in ("http_proxy", "https_proxy", "no_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    found = WebFetcher(patience_s=2.0)
    yield found
    found.close()


@pytest.fixture
def certificate(tmp_path):
    return make_certificate(tmp_path)


def wanted(url, **more):
    return Wanted(WebAddress.parse(url, "it"), **({"most": 1000, "within_s": 5.0} | more))


@pytest.fixture
def raw():
    """Serve one connection with some bytes; return its address."""
    threads = []

    def opened(answer, *, then=lambda _: None):
        listener = socket.create_server(("127.0.0.1", 0))

        def serve():
            with listener, listener.accept()[0] as connection, contextlib.suppress(OSError):
                connection.recv(10_000)
                connection.sendall(answer)
                then(connection)

        threads.append(threading.Thread(target=serve))
        threads[-1].start()
        return f"http://127.0.0.1:{listener.getsockname()[1]}/x"

    yield opened
    for thread in threads:
        thread.join(10)


def test_body_status_and_headers_come_back(server, fetcher):
    server.pages["/x?a=1"] = (200, {"ETag": '"7"'}, b"hello")
    found = fetcher.get(wanted(server.url + "/x?a=1"))
    assert (found.status, found.body, found.headers["etag"]) == (200, b"hello", '"7"')
    assert fetcher.get(wanted(server.url + "/none")).status == 404


def test_one_connection_serves_many_and_a_stale_one_is_replaced(server, fetcher):
    server.pages["/x"] = b"x"
    for _ in range(3):
        assert fetcher.get(wanted(server.url + "/x")).body == b"x"
    assert server.connections == 1
    fetcher._connection.sock.shutdown(socket.SHUT_RDWR)
    assert fetcher.get(wanted(server.url + "/x")).body == b"x"
    assert server.connections == 2


def test_too_large_is_refused_before_and_while_it_comes(server, fetcher):
    server.pages["/told"] = b"x" * 1001
    with pytest.raises(FetchError, match="1,001 bytes, more than 1,000"):
        fetcher.get(wanted(server.url + "/told"))

    def endless(handler):
        handler.send_response(200)
        handler.send_header("Transfer-Encoding", "chunked")
        handler.end_headers()
        for _ in range(100_000):
            handler.wfile.write(b"64\r\n" + b"x" * 100 + b"\r\n")

    server.pages["/endless"] = endless
    with pytest.raises(FetchError, match="more than 1,000 bytes"):
        fetcher.get(wanted(server.url + "/endless"))
    server.pages["/x"] = b"x"
    assert fetcher.get(wanted(server.url + "/x")).body == b"x"


@pytest.mark.parametrize("head", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n"])
def test_dripping_ends_in_time(fetcher, raw, head):
    def drip(connection):
        for _ in range(100):
            connection.send(b"H" if not head else b"x")
            time.sleep(0.1)

    url = raw(head, then=drip)
    started = time.perf_counter()
    with pytest.raises(FetchError, match=r"longer than 0\.5 s"):
        fetcher.get(wanted(url, within_s=0.5))
    assert time.perf_counter() - started < 2.0


def test_silence_ends_in_time(fetcher, raw):
    url = raw(b"", then=lambda _: time.sleep(1))
    fetcher._patience_s = 0.2
    with pytest.raises(FetchError, match="does not answer in time"):
        fetcher.get(wanted(url))


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (b"", "closed the connection without an answer"),
        (b"SSH-2.0-x\r\n\r\n", "is no HTTP"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc", "broke off"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: ten\r\n\r\nabc", "cannot be read"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab", "is no HTTP"),
        (b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 1\r\n\r\nx", "packed"),
    ],
)
def test_broken_answers_say_what_is_wrong(fetcher, raw, answer, reason):
    with pytest.raises(FetchError, match=reason):
        fetcher.get(wanted(raw(answer)))


def test_nobody_there(fetcher):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(FetchError, match="nobody listens there"):
        fetcher.get(wanted(f"http://127.0.0.1:{port}/"))


def test_large_bodies_are_taken_piece_by_piece_and_errors_are_not(server, fetcher):
    server.pages["/big"] = b"x" * 300_000
    pieces = []
    assert fetcher.get(wanted(server.url + "/big", most=300_000), pieces.append).body == b""
    assert b"".join(pieces) == b"x" * 300_000
    assert len(pieces) > 1
    assert fetcher.get(wanted(server.url + "/none"), pieces.clear).body == b"nothing here"


def test_redirects_are_followed_as_far_as_asked(server, fetcher):
    server.pages["/a"] = (302, {"Location": "/b"}, b"")
    server.pages["/b"] = (307, {"Location": f"{server.url}/c"}, b"")
    server.pages["/c"] = b"here"
    assert fetcher.get(wanted(server.url + "/a", redirects=2)).body == b"here"
    with pytest.raises(FetchError, match="redirects further"):
        fetcher.get(wanted(server.url + "/a", redirects=1))
    with pytest.raises(FetchError, match="redirects elsewhere"):
        fetcher.get(wanted(server.url + "/a"))


@pytest.mark.parametrize("location", ["", "file:///etc/passwd", "http://192.0.2.1/", "gopher://x/"])
def test_redirects_lead_nowhere_unsafe(server, fetcher, location):
    server.pages["/a"] = (302, {"Location": location}, b"")
    with pytest.raises(FetchError, match="it redirects"):
        fetcher.get(wanted(server.url + "/a", redirects=3))


def test_credentials_reach_their_origin_alone(server, fetcher):
    with serving() as other:
        server.pages["/a"] = (302, {"Location": f"{other.url}/b"}, b"")
        other.pages["/b"] = (302, {"Location": f"{server.url}/c"}, b"")
        server.pages["/c"] = b"here"
        fetcher.get(wanted(server.url + "/a", redirects=3, authorization="Bearer s3cret"))
        assert [headers.get("Authorization") for _, headers in server.asked] == [
            "Bearer s3cret"
        ] * 2
        assert "Authorization" not in other.asked[0][1]
    fetcher.get(wanted(server.url.replace("//", "//ann:p%40ss@") + "/c"))
    assert server.asked[-1][1]["Authorization"] == "Basic YW5uOnBAc3M="


def test_https_is_checked_and_trusts_the_file_that_is_named(certificate, monkeypatch):
    server = WebServer(tls=certificate)
    server.pages["/x"] = b"over tls"
    try:
        strict = WebFetcher()
        with pytest.raises(FetchError, match="certificate is not trusted"):
            strict.get(wanted(server.url + "/x"))
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate[0]))
        trusting = WebFetcher()
        assert trusting.get(wanted(server.url + "/x")).body == b"over tls"
        trusting.close()
        plain = WebFetcher()
        with pytest.raises(FetchError):
            plain.get(wanted(server.url.replace("https", "http") + "/x"))
    finally:
        server.close()


def test_slow_tls_body_ends_in_time(certificate, monkeypatch):
    def drip(handler):
        handler.send_response(200)
        handler.send_header("Content-Length", "900")
        handler.end_headers()
        for _ in range(40):
            handler.wfile.write(b"x")
            time.sleep(0.1)

    monkeypatch.setenv("SSL_CERT_FILE", str(certificate[0]))
    server = WebServer(tls=certificate)
    server.pages["/x"] = drip
    try:
        with pytest.raises(FetchError, match=r"longer than 0\.5 s"):
            WebFetcher().get(wanted(server.url + "/x", within_s=0.5))
    finally:
        server.close()


def test_proxies_of_the_environment_are_used_but_not_for_this_machine(fetcher, server, monkeypatch):
    with serving() as proxy:
        monkeypatch.setenv("http_proxy", proxy.url)
        proxy.pages["http://far.example/x"] = b"by proxy"
        assert fetcher.get(wanted("http://far.example/x")).body == b"by proxy"
        server.pages["/x"] = b"direct"
        assert fetcher.get(wanted(server.url + "/x")).body == b"direct"
        assert proxy.paths() == ["http://far.example/x"]


def test_fetch_that_is_given_up_ends_at_once_and_none_begins_any_more(fetcher, raw):
    url = raw(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx", then=lambda _: time.sleep(0.5))
    timer = threading.Timer(0.1, fetcher.give_up)
    timer.start()
    started = time.perf_counter()
    with pytest.raises(FetchError):
        fetcher.get(wanted(url))
    assert time.perf_counter() - started < 0.4
    with pytest.raises(FetchError, match="given up"):
        fetcher.get(wanted(url))
    timer.join()


def test_time_that_ran_out_while_connecting_ends_a_fetch_that_drips(fetcher, raw, monkeypatch):
    connect = http.client.HTTPConnection.connect

    def connect_slowly(connection):
        time.sleep(0.4)
        connect(connection)

    def drip(connection):
        for _ in range(100):
            connection.sendall(b"x")
            time.sleep(0.05)

    monkeypatch.setattr(http.client.HTTPConnection, "connect", connect_slowly)
    address = raw(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n", then=drip)
    began = time.perf_counter()
    with pytest.raises(FetchError, match=r"longer than 0\.2 s"):
        fetcher.get(wanted(address, within_s=0.2))
    assert time.perf_counter() - began < 2.0
