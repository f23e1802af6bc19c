"""An http or https address, taken apart once: what is asked, with which credentials, and how it is shown to people."""

import base64
import ipaddress
from dataclasses import dataclass, field
from typing import Self
from urllib.parse import quote, unquote, urlsplit

from setpoint.errors import UsageError

_PORTS = {"http": 80, "https": 443}
_LONGEST = 2_000  # characters


@dataclass(frozen=True)
class WebAddress:
    """One address.

    Args:
        scheme: `http` or `https`.
        host: Name or address of the host, without brackets.
        port: Its port.
        path: Path, percent-encoded; it begins with `/`.
        query: What stands behind `?`; it may hold a signature, so it is never shown.
        authorization: Value of the header that the address's user and password make; empty where it names none.
    """

    scheme: str
    host: str
    port: int
    path: str
    query: str = field(default="", repr=False)
    authorization: str = field(default="", repr=False)

    @classmethod
    def parse(cls, text: str, what: str) -> Self:
        """Return the address that a text is.

        Args:
            text: The text.
            what: What the address is of, for messages: `--deployment`.

        Raises:
            UsageError: It is no http or https address. The message does not repeat it: it may hold a password.
        """
        try:
            parts = urlsplit(text)
            port = parts.port
        except ValueError as error:
            msg = f"{what} is no address: a port is a number up to 65535, brackets hold an IPv6 address"
            raise UsageError(msg) from error
        if parts.scheme not in _PORTS or not parts.hostname:
            msg = f"{what} is no http:// or https:// address with a host"
            raise UsageError(msg)
        if len(text) > _LONGEST or not text.isascii() or any(sign <= " " for sign in text):
            msg = f"{what} has blanks, letters beyond ASCII, or more than {_LONGEST:,} characters"
            raise UsageError(msg)
        return cls(
            scheme=parts.scheme,
            host=parts.hostname,
            port=port or _PORTS[parts.scheme],
            path=parts.path or "/",
            query=parts.query,
            authorization=_basic(parts.username, parts.password),
        )

    def __str__(self) -> str:
        """Return the address as people may read it: without user, password and query."""
        return f"{self.scheme}://{self.place}{self.path}{'?…' if self.query else ''}"

    @property
    def place(self) -> str:
        """Host and port, as the header `Host` wants them."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def origin(self) -> tuple[str, str, int]:
        """Whom credentials are for."""
        return self.scheme, self.host, self.port

    @property
    def target(self) -> str:
        """Path and query, as a request names them."""
        return f"{self.path}?{self.query}" if self.query else self.path

    @property
    def is_private(self) -> bool:
        """Whether nobody on the way can read or change what is said: https, or this machine itself."""
        return self.scheme == "https" or self.is_here

    @property
    def is_here(self) -> bool:
        """Whether it is on this machine."""
        if self.host == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False

    def beside(self, name: str) -> "WebAddress":
        """Return the address of a file in the same folder.

        Args:
            name: The file's path from that folder, such as `bundles/7/manifest.json`; not percent-encoded.
        """
        folder = self.path.rpartition("/")[0]
        return WebAddress(
            self.scheme, self.host, self.port, f"{folder}/{quote(name)}", "", self.authorization
        )


def _basic(user: str | None, password: str | None) -> str:
    if not user and not password:
        return ""
    pair = f"{unquote(user or '')}:{unquote(password or '')}"
    return "Basic " + base64.b64encode(pair.encode()).decode()
