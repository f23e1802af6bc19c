"""A bar that shows how far a replay is."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def replay_bar(*, quiet: bool) -> Iterator[Callable[[int, int, str], None]]:
    """Show a bar while the replay goes on, on the error stream."""
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
    )

    bar = Progress(
        TextColumn("replay"),
        BarColumn(),
        MofNCompleteColumn(),  # knows how to show a total that is not known yet
        TextColumn("rows"),
        TimeElapsedColumn(),
        TextColumn("{task.fields[last]}", markup=False),
        console=Console(stderr=True, soft_wrap=False),
        disable=quiet,
    )
    with bar:
        task = bar.add_task("replay", total=None, last="fitting the first model")
        yield lambda done, rows, last: bar.update(
            task, completed=done, total=rows, last=last[:60] if last else ""
        )
