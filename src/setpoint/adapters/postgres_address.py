"""Where a PostgreSQL database is, as a person writes it: `postgresql://user:password@host/database?schema=name`.

What may hold a password is never shown: not in a message, not in the text of an object.
"""

import re
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import psycopg
from psycopg.conninfo import conninfo_to_dict

from setpoint.errors import UsageError

SCHEMA = "setpoint_log"
"""Schema of the tables where the address names none."""

_NAME = re.compile(r"[a-z_][a-z0-9_]{0,62}")
_FORM = "postgresql://user@host/database?schema=name, with @ : / ? # % of a password written as %40 %3A %2F %3F %23 %25"


@dataclass(frozen=True)
class Address:
    """A database and a schema in it.

    Args:
        shown: The address without its password.
        schema: Schema of the tables.
        conninfo: What libpq connects by.
    """

    shown: str
    schema: str
    conninfo: dict[str, Any] = field(repr=False)


def read_address(url: str) -> Address:
    """Return what an address says.

    Raises:
        UsageError: It says nothing that can be understood.
    """
    try:
        parts = urlsplit(url)
        asked = parse_qsl(parts.query, keep_blank_values=True)
        schema = next((value for name, value in asked if name == "schema"), SCHEMA).lower()
        rest = urlencode([(name, value) for name, value in asked if name != "schema"])
        known = conninfo_to_dict(urlunsplit(("postgresql", parts.netloc, parts.path, rest, "")))
    except (ValueError, psycopg.Error):
        known = {}
    if not known or parts.fragment or _is_torn(known):
        raise UsageError(f"the database's address cannot be understood; it looks like {_FORM}")
    if not _NAME.fullmatch(schema):
        msg = f"{schema!r} is no name of a schema: letters, digits and _, up to 63"
        raise UsageError(msg)
    return Address(_shown(known, schema), schema, known)


def beside(url: str, suffix: str) -> str:
    """Return the address of another schema of the same database, whose name begins alike.

    Raises:
        UsageError: The address says nothing that can be understood, or the name would be too long.
    """
    schema = read_address(url).schema + suffix
    parts = urlsplit(url)
    asked = [one for one in parse_qsl(parts.query, keep_blank_values=True) if one[0] != "schema"]
    query = urlencode([*asked, ("schema", schema)])
    found = urlunsplit((*parts[:3], query, ""))
    read_address(found)
    return found


def _is_torn(known: dict[str, Any]) -> bool:
    """Whether parts of a password may stand in the place of host, port or database, and so be shown."""
    host, port, name = (str(known.get(one, "")) for one in ("host", "port", "dbname"))
    is_port = not port or port.replace(",", "").isdecimal()
    return "@" in host + name or not is_port


def _shown(known: dict[str, Any], schema: str) -> str:
    user = f"{known['user']}@" if known.get("user") else ""
    port = f":{known['port']}" if known.get("port") else ""
    named = "" if schema == SCHEMA else f"?schema={schema}"
    return f"postgresql://{user}{known.get('host', '')}{port}/{known.get('dbname', '')}{named}"
