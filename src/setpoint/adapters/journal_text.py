"""State and events as text: JSON that every database can keep and every person can read, and back without loss."""

import json
from typing import Any

import msgspec

from setpoint.digest import canonical_json
from setpoint.errors import JournalError
from setpoint.facts.ledger import Event
from setpoint.facts.state import LoopState
from setpoint.ledger.plain import from_plain, to_plain


def write_state(state: LoopState) -> str:
    """Return the state as canonical JSON; NaN and the infinities are kept, see `setpoint.ledger.plain`.

    Raises:
        JournalError: The state holds something that is not plain data.
    """
    try:
        return canonical_json(to_plain(state))
    except (TypeError, ValueError) as error:
        msg = f"the state of {state.model} cannot be written: {error}"
        raise JournalError(msg) from error


def read_state(text: str) -> LoopState:
    """Return the state that was written as `text`.

    Raises:
        JournalError: The text is not a state.
    """
    try:
        return msgspec.convert(from_plain(json.loads(text)), LoopState)
    except (ValueError, msgspec.ValidationError) as error:
        msg = f"the stored state cannot be read: {error}; restore the store from a backup"
        raise JournalError(msg) from error


def write_event(event: Event) -> str:
    """Return a sealed event, which is plain data, as canonical JSON."""
    return canonical_json(to_plain(event))


def read_event(text: str) -> Event:
    """Return the event that was written as `text`; its body stays plain, as its hash was taken.

    Raises:
        JournalError: The text is not an event.
    """
    try:
        stored: dict[str, Any] = json.loads(text)
        return Event(
            kind=stored["kind"], at=float(from_plain(stored["at"])), body=dict(stored["body"])
        )
    except (ValueError, KeyError, TypeError) as error:
        msg = f"a stored ledger entry cannot be read: {error!r}; see `setpoint ledger verify`"
        raise JournalError(msg) from error
