"""The deployment document at a URL: asked for again and again on a thread of its own, kept in memory.

Rules:
1. Nobody waits for the web but that thread, and who asks for the document before the first answer.
2. A server that says that nothing changed is believed: by its `ETag`, or by a `Last-Modified` that is old enough that
   no second change can hide in the same second.
3. What cannot be fetched, or is gone, changes nothing: the last document stays, and `trouble` says since when and why.
   What was fetched and is no document is told by `current`, as for a file.
"""

import threading
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import NamedTuple

import msgspec

from setpoint.adapters.web_fetch import Fetched, Wanted, WebFetcher
from setpoint.clock import Clock, say_tick
from setpoint.digest import sha256_bytes
from setpoint.errors import DeploymentError, FetchError
from setpoint.facts.deployment import Deployment

_MISSES = 3  # in a row, after which it is said: one lost packet is no news
_SETTLED_S = 2.0  # age from which a `Last-Modified`, in whole seconds, tells two documents apart
_NOT_ALLOWED = (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)


class _Seen(NamedTuple):
    """What was seen last, as a whole: readers on other threads take it at once.

    Args:
        digest: SHA-256 of the text; empty before the first.
        document: The last good document.
        refused: Why the last text is no document, or empty.
    """

    digest: str = ""
    document: Deployment | None = None
    refused: str = ""


class UrlDeployments:
    """The document at one URL; implements `setpoint.gateway.follow.Documents`.

    Args:
        wanted: Where it is, and the bounds of one fetch.
        fetcher: Fetches it; used by nobody else.
        every_s: Seconds between two looks.
        clock: Stamps trouble.
    """

    def __init__(self, wanted: Wanted, fetcher: WebFetcher, every_s: float, clock: Clock) -> None:
        self._wanted = wanted
        self._fetcher = fetcher
        self._every_s = every_s
        self._clock = clock
        self._seen = _Seen()
        self._trouble = ""
        self._misses = 0
        self._missing_since = ""
        self._unchanged: dict[str, str] = {}  # headers that ask for a document only if it changed
        self._looked = threading.Event()
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None

    def mark(self) -> tuple[str, bool]:
        """Return something that differs whenever the document may have changed; starts the looking."""
        self._start()
        return self._seen.digest, self._looked.is_set()

    def names(self, artifact: str) -> bool:
        """Return whether the last good document prepares a version of this artifact; never waits."""
        document = self._seen.document
        return document is not None and any(one.artifact == artifact for one in document.prepare)

    def trouble(self) -> str:
        """Return since when the URL cannot be asked and why, or an empty text."""
        return self._trouble

    def current(self) -> Deployment | None:
        """Return the last good document, or None where there was none yet; waits for the first look.

        Raises:
            DeploymentError: The newest text is not a deployment document.
        """
        self._start()
        self._looked.wait()
        seen = self._seen
        if seen.refused:
            raise DeploymentError(seen.refused)
        return seen.document

    def close(self) -> None:
        """Look no more, and end a look that is under way."""
        self._ended.set()
        self._looked.set()
        self._fetcher.give_up()

    def look(self) -> None:
        """Ask once; never raises."""
        try:
            self._take(self._fetcher.get(self._asking()))
        except FetchError as error:
            self._miss(str(error))
        except Exception as error:  # noqa: BLE001 (the thread's outermost frame: it must outlive any answer)
            self._miss(f"{type(error).__name__}: {error}")
        self._looked.set()

    def _start(self) -> None:
        if self._thread is None:
            # A daemon: a fetch that hangs must not hold up the end of the process.
            self._thread = threading.Thread(target=self._run, name="deployment", daemon=True)
            self._thread.start()

    def _run(self) -> None:
        while not self._ended.is_set():
            self.look()
            self._ended.wait(self._every_s)
        self._fetcher.close()

    def _asking(self) -> Wanted:
        wanted = self._wanted
        headers = {"Accept": "application/json", **self._unchanged, **wanted.headers}
        return Wanted(
            wanted.address,
            wanted.most,
            wanted.within_s,
            headers,
            wanted.authorization,
            wanted.redirects,
        )

    def _take(self, fetched: Fetched) -> None:
        """Take what the server says.

        Raises:
            FetchError: It says neither that there is a document nor that there is none yet.
        """
        status = fetched.status
        if status == HTTPStatus.OK:
            self._unchanged = _validators(fetched)
            self._read(fetched.body)
        elif status == HTTPStatus.NOT_FOUND and not self._seen.digest:
            pass  # nobody has published one yet
        elif status != HTTPStatus.NOT_MODIFIED or not self._unchanged:
            hint = "; does it need SETPOINT_DEPLOYMENT_TOKEN?" if status in _NOT_ALLOWED else ""
            msg = f"it answers {status}{hint}"
            raise FetchError(msg)
        self._misses, self._trouble = 0, ""

    def _read(self, text: bytes) -> None:
        digest = sha256_bytes(text)
        if digest == self._seen.digest:
            return
        document, refused = self._seen.document, ""
        try:
            document = msgspec.json.decode(text, type=Deployment)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            refused = f"{self._wanted.address} is not a deployment document: {error}"
        self._seen = _Seen(digest, document, refused)

    def _miss(self, reason: str) -> None:
        if not self._misses:
            self._missing_since = say_tick(self._clock.wall(), "time")
        self._misses += 1
        if self._misses >= _MISSES or not self._seen.digest:
            address = self._wanted.address
            self._trouble = f"{address} cannot be fetched since {self._missing_since} UTC: {reason}"


def _validators(fetched: Fetched) -> dict[str, str]:
    """Return the headers that ask for a document only if it changed; none where the server cannot tell."""
    if tag := fetched.headers.get("etag"):
        return {"If-None-Match": tag}
    modified, now = fetched.headers.get("last-modified"), fetched.headers.get("date")
    if not modified or not now:
        return {}
    try:
        age = parsedate_to_datetime(now) - parsedate_to_datetime(modified)
    except (ValueError, TypeError):
        return {}
    return {"If-Modified-Since": modified} if age.total_seconds() >= _SETTLED_S else {}
