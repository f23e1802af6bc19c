"""Fetches from addresses on the web, within bounds of time and size. Blocks: call it on a thread of its own.

Rules:
1. Nothing that a server does makes a fetch longer or larger than it may be: neither dripping nor sending for ever.
2. Credentials go to the origin that they are for, and along no redirect to another.
3. A redirect never leaves https. Proxies are those that the environment names (`https_proxy`, `no_proxy`).
4. Certificates are checked against the system's, or the file that `SSL_CERT_FILE` names.
"""

import http.client
import socket
import ssl
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from urllib.parse import urljoin
from urllib.request import getproxies, proxy_bypass

from setpoint.adapters.web_address import WebAddress
from setpoint.errors import FetchError, UsageError

_CHUNK = 1 << 16
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_FAILURES = (OSError, http.client.HTTPException, ValueError)


@dataclass(frozen=True)
class Wanted:
    """What is asked for, and its bounds.

    Args:
        address: Where it is.
        most: Bytes that it may have.
        within_s: Seconds that it may take, from the first byte sent to the last received.
        headers: Headers of the request.
        authorization: Value of the header `Authorization`, in place of the address's own; sent to its origin alone.
        redirects: Redirects that are followed.
    """

    address: WebAddress
    most: int
    within_s: float
    headers: Mapping[str, str] = field(default_factory=dict)
    authorization: str = field(default="", repr=False)
    redirects: int = 0


@dataclass(frozen=True)
class Fetched:
    """What came back.

    Args:
        status: HTTP status: 200, or one that the caller must know what to do with.
        headers: Headers by lower-case name.
        body: The body; empty where it was taken piece by piece.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes = b""


class WebFetcher:
    """Fetches one thing after the other; keeps its last connection open for the next.

    Args:
        patience_s: Seconds to wait for a connection, and for each next piece.
    """

    def __init__(self, patience_s: float = 5.0) -> None:
        self._patience_s = patience_s
        self._origin: tuple[str, str, int] | None = None
        self._connection: http.client.HTTPConnection | None = None
        self._given_up = threading.Event()
        self._tls: ssl.SSLContext | None = None

    def get(self, wanted: Wanted, take: Callable[[bytes], object] | None = None) -> Fetched:
        """Return what an address gives.

        Args:
            wanted: What is asked for.
            take: Takes the body of a 200 piece by piece; without it the body is returned.

        Raises:
            FetchError: It cannot be reached, breaks off, takes too long or is too large.
        """
        origin = wanted.address.origin
        authorization = wanted.authorization or wanted.address.authorization
        address = wanted.address
        for _ in range(wanted.redirects + 1):
            headers = dict(wanted.headers)
            if authorization and address.origin == origin:
                headers["Authorization"] = authorization
            fetched = self._get(replace(wanted, address=address, headers=headers), take)
            if fetched.status not in _REDIRECTS:
                return fetched
            address = _redirected(address, fetched.headers.get("location", ""))
        msg = f"it redirects {'further than ' + str(wanted.redirects) + ' times' if wanted.redirects else 'elsewhere'}"
        raise FetchError(msg)

    def give_up(self) -> None:
        """End a fetch that is under way, and begin none any more; from any thread.

        A thread that fetches would otherwise hold up the end of the process for as long as a fetch may take.
        """
        self._given_up.set()
        if (connection := self._connection) is not None:
            _shut(connection)

    def close(self) -> None:
        """Close the connection that is kept open."""
        if self._connection is not None:
            self._connection.close()
        self._connection, self._origin = None, None

    def _get(self, wanted: Wanted, take: Callable[[bytes], object] | None) -> Fetched:
        """Ask once; over a connection that the server has closed meanwhile, once more."""
        try:
            return self._ask(wanted, take)
        except _StaleError:
            return self._get(wanted, take)  # over a new one, so not again
        except _FAILURES as error:
            raise FetchError(_say(error)) from error

    def _ask(self, wanted: Wanted, take: Callable[[bytes], object] | None) -> Fetched:
        late = threading.Event()
        is_kept = self._connection is not None and self._origin == wanted.address.origin
        connection = self._open(wanted.address)
        if self._given_up.is_set():
            raise FetchError("it was given up")
        timer = threading.Timer(wanted.within_s, _cut, (connection, late))
        timer.daemon = True
        timer.start()
        is_whole = False
        try:
            if connection.sock is None:
                self._connect(connection, late)
            response = _send(connection, wanted, is_kept=is_kept)
            fetched = self._read(response, wanted, take)
            is_whole = not late.is_set()
        except (*_FAILURES, FetchError):
            if not late.is_set():
                raise
        finally:
            timer.cancel()
            if not is_whole:
                self.close()
        if not is_whole:
            msg = f"it took longer than {wanted.within_s:g} s"
            raise FetchError(msg)
        return fetched

    def _connect(self, connection: http.client.HTTPConnection, late: threading.Event) -> None:
        """Connect, and stop there where the time is over: who wanted to end it meanwhile found no socket to shut."""
        connection.connect()
        if late.is_set() or self._given_up.is_set():
            raise FetchError("it was given up")

    def _read(
        self,
        response: http.client.HTTPResponse,
        wanted: Wanted,
        take: Callable[[bytes], object] | None,
    ) -> Fetched:
        """Read an answer, no further than it may reach.

        Raises:
            FetchError: It is too large, packed, or breaks off.
        """
        found = {name.lower(): value for name, value in response.getheaders()}
        if found.get("content-encoding", "identity") != "identity":
            raise FetchError("it comes packed, though it was asked for as it is")
        if int(found.get("content-length", "0")) > wanted.most:
            msg = f"it has {int(found['content-length']):,} bytes, more than {wanted.most:,}"
            raise FetchError(msg)
        body: list[bytes] = []
        size = 0
        give = take if take is not None and response.status == http.client.OK else body.append
        while piece := response.read1(_CHUNK):
            size += len(piece)
            if size > wanted.most:
                msg = f"it has more than {wanted.most:,} bytes"
                raise FetchError(msg)
            give(piece)
        if size < int(found.get("content-length", "0")):
            raise FetchError("it broke off before its end")
        if self._given_up.is_set():
            raise FetchError("it was given up")
        response.close()  # it was read to its end; until then its connection takes no other request
        if response.will_close:
            self.close()
        return Fetched(response.status, found, b"".join(body))

    def _open(self, address: WebAddress) -> http.client.HTTPConnection:
        """Return a connection to an origin: the one that is open, or another."""
        if self._connection is not None and self._origin == address.origin:
            return self._connection
        self.close()
        proxy = _proxy_of(address)
        via = proxy or address
        if address.scheme == "http":
            connection = http.client.HTTPConnection(via.host, via.port, timeout=self._patience_s)
        else:
            self._tls = self._tls or ssl.create_default_context()
            connection = http.client.HTTPSConnection(
                via.host, via.port, timeout=self._patience_s, context=self._tls
            )
            if proxy is not None:
                headers = (
                    {"Proxy-Authorization": proxy.authorization} if proxy.authorization else {}
                )
                connection.set_tunnel(address.host, address.port, headers)
        self._connection, self._origin = connection, address.origin
        return connection


class _StaleError(Exception):
    """The server had closed the connection that was kept open; nothing was answered."""


def _send(
    connection: http.client.HTTPConnection, wanted: Wanted, *, is_kept: bool
) -> http.client.HTTPResponse:
    """Send a request and return its answer, of which the body is yet to be read."""
    address = wanted.address
    is_by_proxy = address.scheme == "http" and connection.host != address.host
    target = f"http://{address.place}{address.target}" if is_by_proxy else address.target
    headers = {"Host": address.place, "Accept-Encoding": "identity", **wanted.headers}
    try:
        connection.request("GET", target, headers=headers)
        return connection.getresponse()
    except ConnectionError as error:
        if is_kept:
            raise _StaleError from error
        raise


def _proxy_of(address: WebAddress) -> WebAddress | None:
    """Return the proxy that the environment names for an address; None where it is asked directly."""
    text = getproxies().get(address.scheme)
    if not text or address.is_here or proxy_bypass(address.host):
        return None
    try:
        return WebAddress.parse(text if "://" in text else f"http://{text}", "the proxy")
    except UsageError as error:
        raise FetchError(str(error)) from error


def _redirected(address: WebAddress, location: str) -> WebAddress:
    """Return where a redirect leads.

    Raises:
        FetchError: It leads nowhere, or from https to where others can listen.
    """
    base = f"{address.scheme}://{address.place}{address.target}"
    try:
        found = WebAddress.parse(urljoin(base, location), "the redirect")
    except (UsageError, ValueError) as error:
        raise FetchError(f"it redirects to what is no http or https address: {error}") from error
    if not location or (address.is_private and not found.is_private):
        raise FetchError("it redirects from https to plain http")
    return found


def _cut(connection: http.client.HTTPConnection, late: threading.Event) -> None:
    """End a fetch that takes too long: whoever reads is told that the connection is gone."""
    late.set()
    _shut(connection)


def _shut(connection: http.client.HTTPConnection) -> None:
    if connection.sock is not None:
        try:
            # Of the socket itself: a TLS connection's own would take its state away under the thread that reads.
            socket.socket.shutdown(connection.sock, socket.SHUT_RDWR)
        except OSError:
            return


_WORDS: tuple[tuple[type[Exception], str], ...] = (
    (TimeoutError, "it does not answer in time"),
    (socket.gaierror, "its host is not known"),
    (http.client.RemoteDisconnected, "it closed the connection without an answer"),
    (http.client.HTTPException, "what it answers is no HTTP"),
    (ssl.SSLError, "it cannot be spoken to over TLS"),
    (ConnectionRefusedError, "nobody listens there"),
    (ConnectionError, "it broke the connection off"),
)


def _say(error: Exception) -> str:
    """Return an error of the connection in few words; never with headers or addresses."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted: {error.verify_message}"
    known = (words for kind, words in _WORDS if isinstance(error, kind))
    system = error.strerror if isinstance(error, OSError) else None
    return next(known, system or f"what it answers cannot be read: {type(error).__name__}")
