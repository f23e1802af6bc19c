"""A folder in an object store: S3 and what speaks its language, Google Cloud Storage, Azure.

Everything that comes from obstore passes through here and leaves as plain bytes and `OSError`. Credentials, region and
endpoint are read by obstore from the environment, as the cloud's own tools name them (`AWS_ACCESS_KEY_ID`,
`AWS_REGION`, `AWS_ENDPOINT_URL`, …) or from the machine's role.
"""

import io
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import obstore
import obstore.store
from obstore.exceptions import AlreadyExistsError, BaseError
from obstore.fsspec import FsspecStore

from setpoint.errors import UsageError

_HTTP: Any = {
    "connect_timeout": "3s",
    "allow_http": True,  # where an endpoint of the team's own says http; the clouds' own are https
}
_RETRY: Any = {"max_retries": 3, "retry_timeout": timedelta(seconds=10)}
_AT_ONCE = 16  # objects that are read at once
_SAID = 300  # characters of what a store says


class ObjectFolder:
    """A folder in an object store. Safe to call from any thread. Nothing is asked before the first use.

    Args:
        url: Such as `s3://bucket/some/prefix`.
        patience_s: How long a request may take.

    Raises:
        UsageError: The address cannot be understood.
    """

    def __init__(self, url: str, *, patience_s: int = 10) -> None:
        self.url = url.rstrip("/")
        http: Any = {**_HTTP, "timeout": f"{patience_s}s"}
        try:
            self._store: Any = obstore.store.from_url(
                self.url, client_options=http, retry_config=_RETRY
            )
        except (BaseError, ValueError, TypeError) as error:
            msg = f"the object store {self.url} cannot be used: {_say(error)}"
            raise UsageError(msg) from error

    def put(self, name: str, content: bytes | Path) -> None:
        """Store an object, in place of one of the same name; the store has it for good when this returns.

        Raises:
            OSError: The store did not take it; or it did, and the answer got lost.
        """
        with self._told(name):
            obstore.put(self._store, name, content, use_multipart=False)

    def create(self, name: str, content: bytes | Path) -> bool:
        """Store an object unless there is one of the name; return whether there was none.

        Of several who create it at once, one is told so.

        Raises:
            OSError: The store did not take it; or it did, and the answer got lost.
        """
        with self._told(name):
            try:
                obstore.put(self._store, name, content, mode="create", use_multipart=False)
            except AlreadyExistsError:
                return False
            return True

    def get(self, name: str) -> bytes:
        """Return an object.

        Raises:
            FileNotFoundError: There is none.
            OSError: The store does not give it.
        """
        with self._told(name):
            return bytes(obstore.get(self._store, name).bytes())

    def get_all(self, names: Sequence[str]) -> list[bytes | None]:
        """Return objects, in the order of their names; None in the place of one that is not there.

        Raises:
            OSError: The store does not give one of them.
        """

        def one(name: str) -> bytes | None:
            try:
                return self.get(name)
            except FileNotFoundError:
                return None

        if len(names) < 2:  # noqa: PLR2004 (nothing to do at once)
            return [one(name) for name in names]
        with ThreadPoolExecutor(min(_AT_ONCE, len(names))) as threads:
            return list(threads.map(one, names))

    def names(self, prefix: str = "", after: str = "") -> list[str]:
        """Return the names of the objects whose names begin so, up to a `/`; in order.

        Args:
            prefix: How they begin; empty for all.
            after: Only names that come after this one; empty for all.

        Raises:
            OSError: The store does not say.
        """
        with self._told(prefix):
            pages = obstore.list(self._store, prefix or None, offset=after or None)
            return sorted(found["path"] for page in pages for found in page)

    def remove(self, names: Sequence[str]) -> None:
        """Remove objects; one that is not there is passed over.

        Raises:
            OSError: One cannot be removed.
        """
        if not names:
            return
        with self._told(names[0]):
            try:
                obstore.delete(self._store, list(names))
            except FileNotFoundError:  # some stores say so; the others are removed one by one
                for name in names:
                    self._remove(name)

    def open(self, name: str) -> io.RawIOBase:
        """Return an object to be read here and there, without fetching all of it.

        Raises:
            FileNotFoundError: There is none.
            OSError: The store does not give it.
        """
        with self._told(name):
            size = int(obstore.head(self._store, name)["size"])
        return _Ranges(self, name, size)

    def part(self, name: str, start: int, end: int) -> bytes:
        """Return the bytes of an object from `start` up to `end`.

        Raises:
            OSError: The store does not give them.
        """
        with self._told(name):
            return bytes(obstore.get_range(self._store, name, start=start, end=end))

    def _remove(self, name: str) -> None:
        try:
            obstore.delete(self._store, name)
        except FileNotFoundError:
            return

    @contextmanager
    def _told(self, name: str) -> Iterator[None]:
        """Turn an error of the store into one of Python's, with the place."""
        try:
            yield
        except FileNotFoundError as error:
            msg = f"{self.url}/{name} is not there"
            raise FileNotFoundError(msg) from error
        except (BaseError, OSError) as error:
            msg = f"{self.url}/{name}: {_say(error)}"
            raise OSError(msg) from error


def file_system(url: str) -> Any:
    """Return a folder's store as fsspec has it, for libraries that take no other."""
    kind: Any = urlsplit(url).scheme
    return FsspecStore(kind, client_options=_HTTP, retry_config=_RETRY)


class _Ranges(io.RawIOBase):
    """An object as a file: every read fetches its bytes."""

    def __init__(self, folder: ObjectFolder, name: str, size: int) -> None:
        self._folder = folder
        self._name = name
        self._size = size
        self._place = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._place, io.SEEK_END: self._size}[whence]
        self._place = max(0, base + offset)
        return self._place

    def tell(self) -> int:
        return self._place

    def readinto(self, buffer: Any, /) -> int:
        end = min(self._place + len(buffer), self._size)
        if end <= self._place:
            return 0
        found = self._folder.part(self._name, self._place, end)
        buffer[: len(found)] = found
        self._place += len(found)
        return len(found)


def _say(error: Exception) -> str:
    """Return what a store says, on one line and without its client's inner workings."""
    said = str(error).partition("Debug source:")[0]
    return " ".join(said.split())[:_SAID]
