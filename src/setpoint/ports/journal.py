"""The journal: state and ledger, changed together or not at all."""

from collections.abc import Iterator, Sequence
from typing import Protocol

from setpoint.facts.ledger import Entry, Event
from setpoint.facts.state import LoopState


class Journal(Protocol):
    """State and ledger of one model in one store, behind one transaction."""

    def load(self) -> tuple[LoopState | None, int]:
        """Return the state and its revision; (None, 0) before the first commit.

        Raises:
            JournalError: The store cannot be read.
        """

    def commit(self, expected: int, state: LoopState, events: Sequence[Event]) -> int:
        """Replace the state and append the events to the hash chain, in one transaction.

        Args:
            expected: Revision that the state was read at.
            state: The new state.
            events: What happened, in order; may be empty.

        Raises:
            StaleStateError: Somebody else committed since; nothing was written.
            JournalError: The store cannot be written; nothing was written.

        Returns:
            The new revision.
        """

    def entries(self, after: int = 0) -> Iterator[Entry]:
        """Yield ledger entries with a sequence number above `after`, in order."""

    def head(self) -> tuple[int, str]:
        """Return number and hash of the last entry as the state knows them; (0, 64 zeros) before the first.

        Raises:
            JournalError: The store cannot be read.
        """
