"""Prediction ids of a table's rows: UUIDs of version 7 (RFC 9562 §5.7) that follow from the table's own beginning.

A row has the same id however the table is cut and however often its answering is begun again, so that a log that has
an answer already knows it.
"""

from hashlib import shake_128

_COUNTERS = 1 << 12  # rows of one millisecond
_TAIL = 16  # hexadecimal digits of chance of one id
_VARIANT = {digit: "89ab"[place % 4] for place, digit in enumerate("0123456789abcdef")}


class RowIds:
    """Makes the ids of one table: milliseconds from its beginning, a counter, and 62 bits of its seed.

    Rows that do not fit into a millisecond's 4,096 have the milliseconds after it, so that ids ascend with the rows.

    Args:
        at: When answering began, in seconds since 1970-01-01 UTC.
        seed: 16 random bytes, drawn when it began.
    """

    def __init__(self, at: float, seed: bytes) -> None:
        self._millis = int(at * 1000)
        self._seed = seed

    def of(self, first: int, count: int) -> list[str]:
        """Return the ids of rows, as 36 characters each.

        Args:
            first: Position of the first row.
            count: Number of rows.
        """
        ids: list[str] = []
        end = first + count
        for block in range(first // _COUNTERS, -(-end // _COUNTERS)):
            start = block * _COUNTERS
            ids += self._block(block, max(first - start, 0), min(end - start, _COUNTERS))
        return ids

    def _block(self, block: int, start: int, end: int) -> list[str]:
        """Return ids of one millisecond."""
        text = f"{self._millis + block:012x}"
        head = f"{text[:8]}-{text[8:]}-7"
        chance = shake_128(self._seed + block.to_bytes(8, "big")).hexdigest(_COUNTERS * _TAIL // 2)
        found = []
        for counter in range(start, end):
            at = counter * _TAIL
            tail = f"{_VARIANT[chance[at]]}{chance[at + 1 : at + 4]}-{chance[at + 4 : at + _TAIL]}"
            found.append(f"{head}{counter:03x}-{tail}")
        return found
