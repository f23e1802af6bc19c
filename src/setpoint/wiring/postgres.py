"""Opens a prediction log in PostgreSQL; loaded only where there is one."""

from setpoint.adapters.log.postgres_store import PostgresStore
from setpoint.adapters.log.secret import LogSecret
from setpoint.adapters.postgres_address import beside, read_address
from setpoint.clock import Clock, SystemClock

_SHADOWS = "_shadows"


def open_store(url: str, clock: Clock) -> PostgresStore:
    """Return the tables of a log; nothing is asked before the first use.

    Raises:
        UsageError: The address cannot be understood.
    """
    return PostgresStore(read_address(url), clock)


def shadows_of(url: str) -> str:
    """Return the address of the shadows' log beside a log.

    Raises:
        UsageError: The address cannot be understood.
    """
    return beside(url, _SHADOWS)


def secret(url: str, key: str) -> LogSecret:
    """Return what gives the secret of a log: the team's key, or a salt in its tables.

    Raises:
        UsageError: The address cannot be understood.
    """
    store = open_store(url, SystemClock())

    def salt() -> str:
        try:
            return store.salt()
        finally:
            store.close()

    return LogSecret(salt, key)
