"""Where the Parquet files of past hours lie: a folder, or what has the same three verbs (`object_files`).

Names are relative and no name is ever given to other answers, so that what a name stands for may be kept by readers.
"""

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, Protocol


class HourFile(Protocol):
    """One file, to be read. Equal by where it lies, which is its text."""

    def __hash__(self) -> int: ...

    def source(self) -> Any:
        """Return what pyarrow opens it by.

        Raises:
            OSError: It is not there.
        """


class Kept(NamedTuple):
    """A file that was written.

    Args:
        name: Its name.
        size: In bytes.
    """

    name: str
    size: int


class HourFiles(Protocol):
    """The files of one log.

    Attributes:
        where: For people.
    """

    @property
    def where(self) -> str: ...  # noqa: D102 (an attribute, described above)

    def file(self, name: str) -> HourFile:
        """Return a file, whether it is there or not."""

    def keep(self, name: str, write: Callable[[Path], int], reached: Callable[[str], None]) -> Kept:
        """Have a file written and make it last. A killed attempt leaves nothing, or a whole file that nobody lists.

        Args:
            name: Its name, to which something may be added.
            write: Writes it to a path of this machine and returns the size; it is on disk then.
            reached: Told `written` and `named`, for tests that cut there.

        Raises:
            OSError: It cannot be written.
        """

    def remove(self, names: Iterable[str]) -> None:
        """Remove files for good; one that is not there is passed over.

        Raises:
            OSError: One cannot be removed.
        """

    def names(self) -> list[str]:
        """Return the names of all files that are there.

        Raises:
            OSError: They cannot be listed.
        """

    def file_system(self) -> Any | None:
        """Return what DuckDB reads the files by; None where their texts are paths of this machine."""


@dataclass(frozen=True)
class LocalFile:
    """A file of this machine.

    Args:
        path: Where it lies.
    """

    path: Path

    def source(self) -> Path:
        """Return its path."""
        return self.path

    def __str__(self) -> str:
        return str(self.path)


@dataclass(frozen=True)
class FolderFiles:
    """Files of a folder.

    Args:
        folder: The folder; it is made where missing.
    """

    folder: Path

    @property
    def where(self) -> str:
        """The folder, for people."""
        return str(self.folder)

    def file(self, name: str) -> LocalFile:
        """Return a file."""
        return LocalFile(self.folder / name)

    def keep(self, name: str, write: Callable[[Path], int], reached: Callable[[str], None]) -> Kept:
        """Write a file under a name that nobody reads, then give it its own; see `HourFiles.keep`.

        Raises:
            OSError: It cannot be written.
        """
        path = self.folder / name
        beside = path.with_name(f".{path.name}")
        path.parent.mkdir(parents=True, exist_ok=True)
        size = write(beside)
        reached("written")
        beside.replace(path)
        self._sync(path.parent)
        reached("named")
        return Kept(name, size)

    def remove(self, names: Iterable[str]) -> None:
        """Remove files for good, with folders that have become empty.

        Raises:
            OSError: One cannot be removed.
        """
        for name in names:
            path = self.folder / name
            path.unlink(missing_ok=True)
            for folder in path.parents:
                if folder == self.folder or not folder.is_dir() or any(folder.iterdir()):
                    break
                folder.rmdir()

    def names(self) -> list[str]:
        """Return the names of all files that are there; not of those that are being written."""
        found = (path.relative_to(self.folder) for path in self.folder.rglob("*.parquet"))
        return sorted(path.as_posix() for path in found if not path.name.startswith("."))

    def file_system(self) -> None:
        """Return nothing: a file's text is its path."""

    def _sync(self, folder: Path) -> None:
        """Have a folder's names on disk, and those of the folders that it lies in."""
        for one in (folder, *folder.parents):
            entry = os.open(one, os.O_RDONLY)
            try:
                os.fsync(entry)
            finally:
                os.close(entry)
            if one == self.folder.parent:
                return
