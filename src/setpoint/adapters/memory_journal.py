"""The journal in memory: for a replay, which starts from nothing and keeps nothing, and for tests."""

from collections.abc import Iterator, Sequence

from setpoint.adapters.journal_text import read_state, write_state
from setpoint.errors import JournalError, StaleStateError
from setpoint.facts.ledger import Entry, Event
from setpoint.facts.state import LoopState
from setpoint.ledger.chain import START, seal


class MemoryJournal:
    """State and ledger of one model, kept until the process ends.

    Args:
        model: Name of the model.
    """

    def __init__(self, model: str) -> None:
        self._model = model
        self._text = ""
        self._revision = 0
        self._entries: list[Entry] = []

    def load(self) -> tuple[LoopState | None, int]:
        """Return the state and its revision; (None, 0) before the first commit."""
        return (read_state(self._text) if self._revision else None), self._revision

    def commit(self, expected: int, state: LoopState, events: Sequence[Event]) -> int:
        """Replace the state and append the events; see `setpoint.ports.journal`."""
        if state.model != self._model:
            msg = f"this is the journal of {self._model}, not of {state.model}"
            raise JournalError(msg)
        if expected != self._revision:
            raise StaleStateError(expected=expected, found=self._revision)
        # As text, so that a state that no store could keep fails here too, and nobody shares what is in it.
        text = write_state(state)
        added = seal_all(self._entries[-1] if self._entries else None, events)
        self._text = text
        self._entries = [*self._entries, *added]
        self._revision += 1
        return self._revision

    def entries(self, after: int = 0) -> Iterator[Entry]:
        """Yield ledger entries with a sequence number above `after`, in order."""
        yield from self._entries[max(after, 0) :]

    def head(self) -> tuple[int, str]:
        """Return number and hash of the last entry; (0, 64 zeros) before the first."""
        return (self._entries[-1].sequence, self._entries[-1].hash) if self._entries else (0, START)


def seal_all(last: Entry | None, events: Sequence[Event]) -> list[Entry]:
    """Return the entries that follow `last` and say `events`.

    Raises:
        JournalError: An event holds something that is not plain data.
    """
    added: list[Entry] = []
    for event in events:
        try:
            last = seal(last, event)
        except (TypeError, ValueError) as error:
            msg = f"the event {event.kind!r} cannot be written: {error}"
            raise JournalError(msg) from error
        added.append(last)
    return added
