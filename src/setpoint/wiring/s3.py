"""Opens what a prediction log has in an object store; loaded only where there is one."""

from setpoint.adapters.log.answer_spool import AnswerSpool
from setpoint.adapters.log.hour_files import HourFiles
from setpoint.adapters.log.secret import LogSecret, new_salt
from setpoint.adapters.log.spooled_log import AnswersOnly, SpooledLog, SpooledStore
from setpoint.adapters.log.sqlite_store import LogFile
from setpoint.adapters.log.store import LogStore
from setpoint.adapters.object_files import ObjectFiles
from setpoint.adapters.object_folder import ObjectFolder
from setpoint.clock import Clock
from setpoint.errors import JournalError

_LARGE_S = 600  # for a file of an hour
_SALT = "log.salt"


def open_files(url: str) -> ObjectFiles:
    """Return the Parquet files of a folder; nothing is asked before the first use.

    Raises:
        UsageError: The address cannot be understood.
    """
    return ObjectFiles(ObjectFolder(url, patience_s=_LARGE_S))


def open_spooled(url: str, store: LogStore, files: HourFiles, clock: Clock) -> SpooledLog:
    """Return a log whose answers an object store acknowledges.

    Raises:
        UsageError: The address cannot be understood.
    """
    return SpooledLog(store, files, AnswerSpool(ObjectFolder(url)), clock, safe=_is_safe(store))


def spooled_store(url: str, store: LogStore, files: HourFiles, clock: Clock) -> SpooledStore:
    """Return the tables of such a log for those who read.

    Raises:
        UsageError: The address cannot be understood.
    """
    return SpooledStore(store, files, AnswerSpool(ObjectFolder(url)), clock, safe=_is_safe(store))


def open_answers(url: str) -> AnswersOnly:
    """Return such a log for who cannot reach its tables.

    Raises:
        UsageError: The address cannot be understood.
    """
    return AnswersOnly(AnswerSpool(ObjectFolder(url)))


def secret(url: str, key: str) -> LogSecret:
    """Return what gives the secret of such a log: the team's key, or a salt in the object store.

    Raises:
        UsageError: The address cannot be understood.
    """
    folder = ObjectFolder(url)

    def salt() -> str:
        try:
            folder.create(_SALT, new_salt().encode())
            return folder.get(_SALT).decode("ascii")
        except (OSError, UnicodeDecodeError) as error:
            msg = f"the salt of the prediction log {url}/{_SALT} cannot be used: {error}"
            raise JournalError(msg) from error

    return LogSecret(salt, key)


def _is_safe(store: LogStore) -> bool:
    """Whether tables outlive the machine of who reads them."""
    return not isinstance(store, LogFile)
