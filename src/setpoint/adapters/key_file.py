"""The file of a gateway's API keys: written here, read by gateways."""

import os
import secrets
from pathlib import Path

import msgspec

from setpoint.digest import sha256_bytes
from setpoint.errors import UsageError
from setpoint.facts.api_key import ApiKey, ApiKeys

_PREFIX = "sp_"  # by which scanners for leaked secrets know it
_BYTES = 32
_OWNER_ONLY = 0o600


class KeyFile:
    """The keys in one file.

    Args:
        path: The file; it need not be there yet.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def keys(self) -> tuple[ApiKey, ...]:
        """Return all keys; none where there is no file.

        Raises:
            UsageError: The file cannot be read, or is none.
        """
        try:
            return msgspec.json.decode(self._path.read_bytes(), type=ApiKeys).keys
        except FileNotFoundError:
            return ()
        except (OSError, msgspec.DecodeError, UnicodeDecodeError) as error:
            msg = f"the API keys in {self._path} cannot be read: {error}"
            raise UsageError(msg) from error

    def add(self, key: ApiKey) -> str:
        """Make a key with everything but its digest given, and return it: it is shown once and kept nowhere.

        Raises:
            UsageError: There is a key of that name, or the file cannot be written.
        """
        known = self.keys()
        if any(one.name == key.name for one in known):
            msg = f"there is a key named {key.name!r} already; revoke it first, or choose another name"
            raise UsageError(msg)
        secret = _PREFIX + secrets.token_urlsafe(_BYTES)
        made = msgspec.structs.replace(key, digest=sha256_bytes(secret.encode()))
        self._write((*known, made))
        return secret

    def revoke(self, name: str) -> None:
        """Take a key away.

        Raises:
            UsageError: There is no key of that name, or the file cannot be written.
        """
        known = self.keys()
        kept = tuple(one for one in known if one.name != name)
        if len(kept) == len(known):
            names = ", ".join(one.name for one in known) or "none"
            msg = f"there is no key named {name!r}; there are: {names}"
            raise UsageError(msg)
        self._write(kept)

    def _write(self, keys: tuple[ApiKey, ...]) -> None:
        """Replace the file at once, readable by its owner alone."""
        content = msgspec.json.format(msgspec.json.encode(ApiKeys(keys=keys)), indent=2)
        part = self._path.with_name(f".{self._path.name}.{os.getpid()}")
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with os.fdopen(
                os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, _OWNER_ONLY), "wb"
            ) as file:
                file.write(content + b"\n")
                file.flush()
                os.fsync(file.fileno())
            part.replace(self._path)
        except OSError as error:
            msg = f"the API keys cannot be written to {self._path}: {error}"
            raise UsageError(msg) from error
