"""What values are hashed with in the prediction log: a key that the team keeps, or else a salt that lies with the log.

A key that lies elsewhere than the log is the stronger of the two: without it nobody can try out values until a hash
fits. The salt keeps hashes of one log apart from those of any other, and tables that were made beforehand useless; who
has both log and salt can try out values. Without the salt (or key) hashes can no longer be told by anybody.
"""

import os
import secrets
from collections.abc import Callable
from pathlib import Path

from setpoint.errors import JournalError

_BYTES = 32


class LogSecret:
    """Gives the secret when it is first needed: a log in which nothing is hashed has no salt.

    Args:
        log: What gives the salt of a log as hexadecimal text, making it where it is missing; or file of a log whose
            salt lies beside it, such as `log.salt` beside `log.db`.
        key: The team's key, or empty.
    """

    def __init__(self, log: Path | Callable[[], str], key: str = "") -> None:
        self._salt = FileSalt(log.with_suffix(".salt")) if isinstance(log, Path) else log
        self._secret = key.encode()

    def __call__(self) -> bytes:
        """Return the secret; the salt is made where it is missing.

        Raises:
            JournalError: The salt can be neither read nor made.
        """
        if not self._secret:
            salt = self._salt()
            try:
                secret = bytes.fromhex(salt)
                if len(secret) != _BYTES:
                    msg = f"it has {len(secret)} bytes, not {_BYTES}"
                    raise ValueError(msg)  # noqa: TRY301 (told like what is no hexadecimal text)
            except ValueError as error:
                msg = f"the salt of the prediction log {self._salt} cannot be used: {error}"
                raise JournalError(msg) from error
            self._secret = secret
        return self._secret


class FileSalt:
    """The salt of a log in a file.

    Args:
        path: The file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def __call__(self) -> str:
        """Return the salt; of several processes that make one, all get the first.

        Raises:
            JournalError: It can be neither read nor made.
        """
        try:
            if not self._path.exists():
                _make(self._path)
            return self._path.read_text(encoding="ascii").strip()
        except (OSError, ValueError) as error:
            msg = f"the salt of the prediction log {self} cannot be used: {error}"
            raise JournalError(msg) from error

    def __str__(self) -> str:
        return str(self._path)


def new_salt() -> str:
    """Return a salt that nobody can guess, as hexadecimal text."""
    return secrets.token_hex(_BYTES)


def _make(path: Path) -> None:
    """Make the file, unless another process was first."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    try:
        with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as new:
            new.write(new_salt() + "\n")
            new.flush()
            os.fsync(new.fileno())
        _link(beside, path)
    finally:
        beside.unlink(missing_ok=True)


def _link(made: Path, path: Path) -> None:
    """Give a file its name, unless another has it already; the name is on disk then."""
    try:
        path.hardlink_to(made)
    except FileExistsError:
        return
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
