"""The prediction log, read to hold what clients were told against it."""

from collections import Counter
from pathlib import Path

from setpoint.adapters.log.sqlite_log import SqliteLog


def logged(path: Path) -> dict[str, tuple[int, int]]:
    """Return version and generation of every answer in a log, by prediction id.

    Raises:
        ValueError: An id stands in it twice.
    """
    log = SqliteLog(path)
    try:
        table = log.window(0.0, float("inf"))
    finally:
        log.close()
    ids = table["id"].to_pylist()
    if twice := [name for name, count in Counter(ids).items() if count > 1]:
        msg = f"{len(twice)} ids stand in the log twice, such as {twice[:3]}"
        raise ValueError(msg)
    versions = zip(table["version"].to_pylist(), table["generation"].to_pylist(), strict=True)
    return dict(zip(ids, versions, strict=True))
