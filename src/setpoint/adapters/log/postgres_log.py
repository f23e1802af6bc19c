"""The log of predictions and outcomes in PostgreSQL, for gateways on any number of machines."""

from setpoint.adapters.log.chunk_log import ChunkLog
from setpoint.adapters.log.hour_files import HourFiles
from setpoint.adapters.log.postgres_store import PostgresStore
from setpoint.adapters.postgres_address import Address
from setpoint.clock import Clock


class PostgresLog(ChunkLog):
    """A log that gateways share; see `setpoint.adapters.log.chunk_log`. Nothing is opened before the first use.

    Args:
        address: The database.
        clock: For the pauses between attempts to connect.
        files: Where answers of past hours go, for all machines to read; None leaves them in the tables.
    """

    def __init__(self, address: Address, clock: Clock, files: HourFiles | None = None) -> None:
        super().__init__(PostgresStore(address, clock), files)
