"""A hash of each row's values that is the same in every process, on every machine, and in any order of rows.

Invariants:
- Equal values hash alike whatever type held them: 1, 1.0 and a float32 1.0 are one value, -0.0 is 0.0.
- The order of the columns does not matter; their names do.
- Python's own `hash` and library hashes that may change between versions are not used.
"""

import hashlib
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

Words = npt.NDArray[np.uint64]

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_FIRST = np.uint64(0xBF58476D1CE4E5B9)
_SECOND = np.uint64(0x94D049BB133111EB)
_MISSING = np.uint64(0x5E7901276A5C0FFE)  # any fixed word: a missing value is a value of its own
_EXACT = 2**53  # integers up to here are exact as floats


def mix64(words: Words) -> Words:
    """Return the SplitMix64 output for each state word: a bijection that scatters all bits.

    Args:
        words: Shape (n,), uint64.

    Example:
        >>> hex(int(mix64(np.zeros(1, dtype=np.uint64))[0]))
        '0xe220a8397b1dcdaf'

    References:
        Steele, Lea, Flood 2014, Fast splittable pseudorandom number generators, OOPSLA.
    """
    z = words + _GOLDEN
    z = (z ^ (z >> np.uint64(30))) * _FIRST
    z = (z ^ (z >> np.uint64(27))) * _SECOND
    return np.asarray(z ^ (z >> np.uint64(31)))


def hash_rows(table: pa.Table, columns: Sequence[str], *, seed: int) -> Words:
    """Return one word for each row, from the values of `columns`, shape (rows,).

    Args:
        table: Rows.
        columns: Columns that take part; their order does not matter.
        seed: 0 or more; another seed gives unrelated words.
    """
    state = np.full(table.num_rows, _text_word(f"seed {seed}"), dtype=np.uint64)
    for name in sorted(columns):
        state = mix64(state ^ mix64(_value_words(table.column(name)) ^ _text_word(name)))
    return state


def hash01(table: pa.Table, columns: Sequence[str], *, seed: int) -> npt.NDArray[np.float64]:
    """Return one number in [0, 1) for each row, from the values of `columns`, shape (rows,)."""
    words = hash_rows(table, columns, seed=seed)
    return np.asarray((words >> np.uint64(11)).astype(np.float64) * 2.0**-53)


def _value_words(column: pa.ChunkedArray) -> Words:
    kind = column.type
    if pa.types.is_integer(kind):
        words = _integer_words(column)
    elif pa.types.is_floating(kind) or pa.types.is_boolean(kind):
        values = pc.fill_null(column.cast(pa.float64()), np.nan).to_numpy()
        words = _float_words(values)
        words[np.isnan(values)] = _MISSING
    elif pa.types.is_timestamp(kind):
        moments = column.cast(pa.timestamp("us", tz=kind.tz)).cast(pa.int64())
        words = _integer_words(moments)
    else:
        return _text_words(column)
    words[pc.is_null(column).to_numpy()] = _MISSING
    return words


def _integer_words(column: pa.ChunkedArray) -> Words:
    whole = pc.fill_null(column.cast(pa.int64(), safe=False), 0).to_numpy()
    words = _float_words(whole.astype(np.float64))
    is_large = (whole > _EXACT) | (whole < -_EXACT)
    words[is_large] = mix64(whole[is_large].view(np.uint64))
    return words


def _float_words(values: npt.NDArray[np.float64]) -> Words:
    return np.asarray(values + 0.0).view(np.uint64).copy()  # adding 0 turns -0.0 into 0.0


def _text_words(column: pa.ChunkedArray) -> Words:
    if not pa.types.is_dictionary(column.type):
        column = column.cast(pa.string()).dictionary_encode()
    encoded = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    if isinstance(encoded, pa.ChunkedArray):
        encoded = pa.concat_arrays(encoded.chunks) if encoded.num_chunks else encoded
    distinct = encoded.dictionary.cast(pa.string()).to_pylist()
    words = np.array(
        [_MISSING if text is None else _text_word(text) for text in distinct] + [_MISSING],
        dtype=np.uint64,
    )
    codes = pc.fill_null(encoded.indices.cast(pa.int64()), len(distinct)).to_numpy()
    return np.asarray(words[codes])


def _text_word(text: str) -> np.uint64:
    digest = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return np.uint64(int.from_bytes(digest, "little"))
