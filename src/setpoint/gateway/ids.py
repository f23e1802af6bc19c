"""Prediction ids: UUIDs of version 7 (RFC 9562 §5.7), ordered by time."""

from collections.abc import Callable

from setpoint.clock import Clock

_COUNTER_BITS = 12  # a counter within the millisecond keeps the order of one process
_COUNTERS = (1 << _COUNTER_BITS) - 1
_TAIL = 8  # bytes of chance for one id
_POOL = 512  # ids that one call to the system serves
_VARIANT = {digit: "89ab"[place % 4] for place, digit in enumerate("0123456789abcdef")}


class PredictionIds:
    """Makes ids: 48 bits of milliseconds, 12 bits of counter, 62 bits of chance.

    Ids of one maker ascend strictly, also when the clock stands still or jumps back.

    Args:
        clock: Where the milliseconds come from.
        entropy: Returns this many random bytes, such as `os.urandom`; asked in advance for many ids.
    """

    def __init__(self, clock: Clock, entropy: Callable[[int], bytes]) -> None:
        self._wall = clock.wall
        self._entropy = entropy
        self._tails: list[str] = []
        self._last = 0  # milliseconds and counter of the last id, as one number
        self._millis = -1
        self._head = ""  # the first 15 characters of ids of `_millis`

    def next(self) -> str:
        """Return the next id, as 36 characters."""
        stamp = max(int(self._wall() * 1000) << _COUNTER_BITS, self._last + 1)
        self._last = stamp
        millis = stamp >> _COUNTER_BITS
        if millis != self._millis:
            text = f"{millis:012x}"
            self._millis, self._head = millis, f"{text[:8]}-{text[8:]}-7"
        if not self._tails:
            self._tails = self._draw()
        return f"{self._head}{stamp & _COUNTERS:03x}-{self._tails.pop()}"

    def _draw(self) -> list[str]:
        """Return the random ends of many ids."""
        text = self._entropy(_POOL * _TAIL).hex()
        size = 2 * _TAIL
        ends = (text[start : start + size] for start in range(0, len(text), size))
        return [f"{_VARIANT[end[0]]}{end[1:4]}-{end[4:]}" for end in ends]
