"""A bar that shows itself at the first sign of progress, so that a wish that is refused leaves none behind."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def late_bar(what: str, *, quiet: bool) -> Iterator[Callable[[int, int, str], None]]:
    """Give what is told the rows that are done, the rows in all, and what happened last.

    Args:
        what: What goes on, in one word.
        quiet: Whether to show nothing, where output is for machines.
    """
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
    )

    bar = Progress(
        TextColumn(what),
        BarColumn(),
        MofNCompleteColumn(),  # knows how to show a total that is not known yet
        TextColumn("rows"),
        TimeElapsedColumn(),
        TextColumn("{task.fields[last]}", markup=False),
        console=Console(stderr=True, soft_wrap=False),
        disable=quiet,
    )
    task = None

    def tell(done: int, rows: int, last: str = "") -> None:
        nonlocal task
        if task is None:
            task = bar.add_task(what, total=None, last="")
            bar.start()
        bar.update(task, completed=done, total=rows, last=last[:60] if last else "")

    try:
        yield tell
    finally:
        if task is not None:
            bar.stop()
