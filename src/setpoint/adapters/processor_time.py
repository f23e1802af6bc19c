"""The processor time of this process, and the time that it waited for a processor, as Linux counts them."""

import time
from pathlib import Path

_SCHEDULED = Path(
    "/proc/self/schedstat"
)  # of the main thread: nanoseconds on a processor, nanoseconds ready for one


def used_and_waited() -> tuple[float, float]:
    """Return seconds that this process used a processor, and seconds that its main thread was ready but had none.

    Where the system does not count the latter it is 0.
    """
    try:
        _, waited, _ = _SCHEDULED.read_text(encoding="ascii").split()
    except (OSError, ValueError):
        return time.process_time(), 0.0
    return time.process_time(), int(waited) / 1e9
