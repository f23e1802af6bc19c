"""Where the parts of a contract were written: file, line and column of each path."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

Path = tuple[str | int, ...]
"""The way to a value: keys of mappings and positions of lists."""

_BARE = re.compile(r"[^\W\d][\w-]*")


def path_text(path: Sequence[str | int]) -> str:
    """Return a path as people read it: `gates[0].min`, `data.columns["Monthly Charges"].min`."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        elif _BARE.fullmatch(part):
            text += f".{part}" if text else part
        else:
            text += f"[{json.dumps(part, ensure_ascii=False)}]"
    return text


@dataclass(frozen=True, slots=True)
class Place:
    """Where something stands: file, one-based line and column; 0 where unknown."""

    file: str = ""
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        return f"{self.file}:{self.line}" if self.line else self.file


@dataclass(frozen=True, slots=True)
class Became:
    """What one key of the short form became.

    Args:
        key: The key, such as `model.slas.target_accuracy`.
        value: Its value, as written.
        into: What it became in the long form, each in words.
        place: Where the key stands.
    """

    key: str
    value: str
    into: tuple[str, ...]
    place: Place


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a contract was read from; no part of what it promises.

    Args:
        file: File name of the contract; empty for one made in Python.
        places: Place of each path that was written, by the path's text.
        became: What each key of the short form became.
    """

    file: str = ""
    places: Mapping[str, Place] = field(default_factory=dict)
    became: tuple[Became, ...] = ()

    def place_of(self, path: Sequence[str | int]) -> Place:
        """Return where a path stands, or else the nearest part around it that was written."""
        for length in range(len(path), 0, -1):
            place = self.places.get(path_text(path[:length]))
            if place is not None:
                return place
        return Place(self.file)
