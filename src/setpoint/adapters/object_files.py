"""Parquet files of past hours in an object store.

A file's name ends with a digest of its content and is created only where there is none: of two who move the same hour,
by a lock that did not hold, neither writes over what the other has listed. The same content again has the same name.
"""

import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from setpoint.adapters.log.hour_files import Kept
from setpoint.adapters.object_folder import ObjectFolder, file_system
from setpoint.digest import sha256_file

_DIGITS = 12


@dataclass(frozen=True)
class ObjectFile:
    """A file of an object store.

    Args:
        url: Where it lies.
        name: Its name in its folder.
        folder: The folder.
    """

    url: str
    name: str = field(compare=False)
    folder: ObjectFolder = field(compare=False, repr=False)

    def source(self) -> Any:
        """Return what pyarrow opens it by.

        Raises:
            OSError: It is not there, or the store does not answer.
        """
        return self.folder.open(self.name)

    def __str__(self) -> str:
        return self.url


class ObjectFiles:
    """Files of a folder in an object store; implements `setpoint.adapters.log.hour_files.HourFiles`.

    Args:
        folder: The folder.
    """

    def __init__(self, folder: ObjectFolder) -> None:
        self._folder = folder

    @property
    def where(self) -> str:
        """The folder, for people."""
        return self._folder.url

    def file(self, name: str) -> ObjectFile:
        """Return a file."""
        return ObjectFile(f"{self._folder.url}/{name}", name, self._folder)

    def keep(self, name: str, write: Callable[[Path], int], reached: Callable[[str], None]) -> Kept:
        """Write a file on this machine and store it; see `HourFiles.keep`.

        Raises:
            OSError: It cannot be written or stored.
        """
        with tempfile.TemporaryDirectory(prefix="setpoint-hour-") as folder:
            path = Path(folder) / "part.parquet"
            size = write(path)
            reached("written")
            stem, _, ending = name.rpartition(".")
            named = f"{stem}-{sha256_file(path)[:_DIGITS]}.{ending}"
            self._folder.create(named, path)  # where there is one, it has the same content
        reached("named")
        return Kept(named, size)

    def remove(self, names: Iterable[str]) -> None:
        """Remove files for good; one that is not there is passed over.

        Raises:
            OSError: One cannot be removed.
        """
        self._folder.remove(list(names))

    def names(self) -> list[str]:
        """Return the names of all files that are there.

        Raises:
            OSError: The store does not say.
        """
        return [name for name in self._folder.names() if name.endswith(".parquet")]

    def file_system(self) -> Any:
        """Return what DuckDB reads the files by."""
        return file_system(self._folder.url)
