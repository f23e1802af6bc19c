"""What values are hashed with in the prediction log: a key that the team keeps, or else a salt beside the log.

A key that lies elsewhere than the log is the stronger of the two: without it nobody can try out values until a hash
fits. The salt keeps hashes of one log apart from those of any other, and tables that were made beforehand useless; who
has both log and salt can try out values. Without the salt (or key) hashes can no longer be told by anybody.
"""

import os
import secrets
from pathlib import Path

from setpoint.errors import JournalError

_BYTES = 32


class LogSecret:
    """Gives the secret when it is first needed: a log in which nothing is hashed has no salt.

    Args:
        log: File of the prediction log; the salt lies beside it, such as `log.salt` beside `log.db`.
        key: The team's key, or empty.
    """

    def __init__(self, log: Path, key: str = "") -> None:
        self._path = log.with_suffix(".salt")
        self._secret = key.encode()

    def __call__(self) -> bytes:
        """Return the secret; the salt is made where it is missing.

        Raises:
            JournalError: The salt can be neither read nor made.
        """
        if not self._secret:
            try:
                self._secret = _read_or_make(self._path)
            except (OSError, ValueError) as error:
                msg = f"the salt of the prediction log {self._path} cannot be used: {error}"
                raise JournalError(msg) from error
        return self._secret


def _read_or_make(path: Path) -> bytes:
    """Return the salt of a file; of several processes that make one, all get the first."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        beside = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
        try:
            with os.fdopen(
                os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w"
            ) as new:
                new.write(secrets.token_hex(_BYTES) + "\n")
                new.flush()
                os.fsync(new.fileno())
            _link(beside, path)
        finally:
            beside.unlink(missing_ok=True)
    salt = bytes.fromhex(path.read_text(encoding="ascii").strip())
    if len(salt) != _BYTES:
        msg = f"it has {len(salt)} bytes, not {_BYTES}"
        raise ValueError(msg)
    return salt


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
