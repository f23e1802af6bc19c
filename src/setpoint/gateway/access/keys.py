"""API keys, of which the file holds only the digests, read again when it changes.

A key is 32 random bytes as text, so its SHA-256 cannot be searched for. It is found by that digest, so an attacker who
measures time learns nothing of it.
"""

import asyncio
import sys
from pathlib import Path

import msgspec

from setpoint.errors import UsageError
from setpoint.facts.api_key import ApiKeys
from setpoint.facts.grant import Grant, grant_of_key

_POLL_S = 1.0
_decode = msgspec.json.Decoder(ApiKeys).decode


class Keys:
    """The keys of one gateway.

    Args:
        path: The file.

    Raises:
        UsageError: The file cannot be read, or is none.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._mark = self._look()
        self._grants = read_keys(path)

    def find(self, digest: str) -> Grant | None:
        """Return what the key with this SHA-256 allows; None where nobody knows it."""
        return self._grants.get(digest)

    async def run(self, poll_s: float = _POLL_S) -> None:
        """Read the file again whenever it changes, until cancelled; one that cannot be read changes nothing."""
        while True:
            await asyncio.sleep(poll_s)
            mark = self._look()
            if mark == self._mark:
                continue
            self._mark = mark
            try:
                self._grants = read_keys(self._path)
            except UsageError as error:
                sys.stderr.write(f"setpoint gateway: {error}; the keys of before stay in force\n")

    def _look(self) -> tuple[int, int, int] | None:
        try:
            found = self._path.stat()
        except OSError:
            return None
        return found.st_mtime_ns, found.st_size, found.st_ino


def read_keys(path: Path) -> dict[str, Grant]:
    """Return what the keys of a file allow, by their digests.

    Raises:
        UsageError: The file cannot be read, or is none.
    """
    try:
        found = _decode(path.read_bytes())
    except (OSError, msgspec.DecodeError, UnicodeDecodeError) as error:
        msg = f"the API keys in {path} cannot be read: {error}"
        raise UsageError(msg) from error
    return {key.digest: grant_of_key(key) for key in found.keys}
