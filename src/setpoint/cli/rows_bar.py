"""Progress of work on rows whose number is not known: rows, rows a second, share of the work, time that is left."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console


@contextmanager
def rows_bar(
    what: str, *, quiet: bool, console: "Console | None" = None
) -> Iterator[Callable[[int, float], None]]:
    """Give what is told the rows that are done, and the share of the work that this is, 0 to 1.

    The bar shows itself at the first sign of progress, on a terminal only.

    Args:
        what: What goes on, in one word.
        quiet: Whether to show nothing, where output is for machines.
        console: Where it is drawn: standard error unless given.
    """
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        Progress,
        TaskProgressColumn,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    drawn = console or Console(stderr=True, soft_wrap=False)
    bar = Progress(
        TextColumn(what),
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.fields[rows]:,} rows"),
        TextColumn("{task.fields[speed]:,.0f} rows/s"),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        console=drawn,
        disable=quiet or not drawn.is_terminal,
    )
    task = None
    first = 0

    def tell(rows: int, share: float) -> None:
        nonlocal task, first
        if task is None:
            task = bar.add_task(what, total=1.0, rows=rows, speed=0.0)
            first = rows
            bar.start()
        elapsed = bar.tasks[0].elapsed or 0.0
        speed = (rows - first) / elapsed if elapsed else 0.0
        bar.update(task, completed=share, rows=rows, speed=speed)

    try:
        yield tell
    finally:
        if task is not None:
            bar.stop()
