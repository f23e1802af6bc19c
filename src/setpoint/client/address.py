"""Where a gateway is, read from its URL."""

from dataclasses import dataclass
from urllib.parse import urlsplit

from setpoint.errors import UsageError

_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Address:
    """Where a gateway is.

    Args:
        host: Host name or IP address.
        port: TCP port.
        tls: Whether the connection is encrypted.
        base: Path that stands before every route, such as that of an ingress; empty or `/…` without a slash at its end.
    """

    host: str
    port: int
    tls: bool
    base: str

    @property
    def authority(self) -> str:
        """What the `host` header says."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return (
            host if self.port == _PORTS["https" if self.tls else "http"] else f"{host}:{self.port}"
        )


def read_address(url: str) -> Address:
    """Return the address that a URL says, such as `http://127.0.0.1:8080` or `https://models.example.com/churn`.

    Raises:
        UsageError: It is no such address.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        msg = f"{url!r} is no address: {error}"
        raise UsageError(msg) from error
    plain = url.isascii() and url.isprintable() and " " not in url
    if not plain or parts.scheme not in _PORTS or not parts.hostname or port == 0:
        msg = f"{url!r} is not an address such as http://127.0.0.1:8080"
        raise UsageError(msg)
    if parts.query or parts.fragment or parts.username is not None:
        msg = f"{url!r} has more than host, port and path; a key is given as api_key"
        raise UsageError(msg)
    tls = parts.scheme == "https"
    return Address(parts.hostname, port or _PORTS[parts.scheme], tls, parts.path.rstrip("/"))
