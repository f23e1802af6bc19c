"""Where the answers of shadows lie: in a log of their own beside the prediction log, of the same form.

So nobody who reads the prediction log, or the Parquet files of its past hours, can take an answer that was never given
for one that was.
"""

from pathlib import Path


def shadow_file(log: Path) -> Path:
    """Return the file of the shadows' log beside a prediction log: `log.shadows.db` beside `log.db`."""
    return log.with_suffix(".shadows.db")
