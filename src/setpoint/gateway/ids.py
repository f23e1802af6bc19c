"""Prediction ids: UUIDs of version 7 (RFC 9562 §5.7), ordered by time."""

from collections.abc import Callable

from setpoint.clock import Clock

_COUNTER_BITS = 12  # a counter within the millisecond keeps the order of one process
_RANDOM_BITS = 62
_DRAW = 8  # bytes of chance for one id
_POOL = 512 * _DRAW  # bytes asked for at once: one call to the system for 512 ids


class PredictionIds:
    """Makes ids: 48 bits of milliseconds, 12 bits of counter, 62 bits of chance.

    Ids of one maker ascend strictly, also when the clock stands still or jumps back.

    Args:
        clock: Where the milliseconds come from.
        entropy: Returns this many random bytes, such as `os.urandom`; asked in advance for many ids.
    """

    def __init__(self, clock: Clock, entropy: Callable[[int], bytes]) -> None:
        self._clock = clock
        self._entropy = entropy
        self._pool = b""
        self._taken = 0  # bytes of the pool that are used up
        self._last = 0  # milliseconds and counter of the last id, as one number

    def next(self) -> str:
        """Return the next id, as 36 characters."""
        stamp = int(self._clock.wall() * 1000) << _COUNTER_BITS
        self._last = stamp = max(stamp, self._last + 1)
        if self._taken == len(self._pool):
            self._pool, self._taken = self._entropy(_POOL), 0
        draw = self._pool[self._taken : self._taken + _DRAW]
        self._taken += _DRAW
        chance = int.from_bytes(draw, "big") >> (8 * _DRAW - _RANDOM_BITS)
        millis, counter = stamp >> _COUNTER_BITS, stamp & ((1 << _COUNTER_BITS) - 1)
        text = f"{millis:012x}7{counter:03x}{(0b10 << _RANDOM_BITS) | chance:016x}"
        return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
