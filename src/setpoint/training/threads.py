"""How many threads a job takes: one where more would not help.

Histogram boosting meets at a barrier after every tree node, and waiting threads spin. On a machine whose cores are
busy that made fits up to 40 times slower than one thread, while two threads on free cores gain nothing below some
million cells.
"""

from contextlib import AbstractContextManager
from functools import cache
from typing import Any

from threadpoolctl import ThreadpoolController

_CELLS_FOR_MORE = 2_000_000  # rows times columns


def limited_threads(rows: int, columns: int, most: int) -> AbstractContextManager[Any]:
    """Return a context in which numerical libraries take one thread, or `most` where the rows are many.

    Args:
        rows: Rows to fit on.
        columns: Input columns.
        most: Threads that a large job may take.
    """
    few = rows * columns < _CELLS_FOR_MORE
    limits: AbstractContextManager[Any] = _pools().limit(limits=1 if few else most)
    return limits


def one_thread_for_sums() -> None:
    """Let linear algebra take one thread for the life of the process; what counts rows or trees takes what it may.

    How a sum is cut for several threads shows in its last bits. To be called when the libraries are loaded.
    """
    ThreadpoolController().limit(limits=1, user_api="blas")


@cache
def _pools() -> ThreadpoolController:
    """Look for the libraries' thread pools once: the look takes milliseconds."""
    return ThreadpoolController()
