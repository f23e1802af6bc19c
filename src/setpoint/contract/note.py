"""A note: one remark on a sound contract."""

from dataclasses import dataclass
from typing import Literal

from setpoint.contract.origin import Path, Place

NoteKind = Literal["info", "warning"]

Remark = tuple[NoteKind, Path, str]
"""Kind, path of the field, and one sentence: a note that does not know yet where its field stands."""


@dataclass(frozen=True, slots=True)
class Note:
    """One remark on a contract.

    Args:
        kind: `info` says what follows from the contract; `warning` says what will not go as written.
        path: Path of the field, such as `gates[1]`.
        message: The remark, as one sentence.
        place: Where the field stands.
    """

    kind: NoteKind
    path: str
    message: str
    place: Place
