"""Arrow rows as the data frame that pipelines take: one dtype for each kind of column, fixed for life.

Numbers and booleans are float64 with NaN for missing. Categories and text are objects with NaN for missing, and an
empty text counts as missing, because the ONNX inputs of a gateway have no other way to say it.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from setpoint.errors import DataError
from setpoint.facts.training import Feature

NUMERIC_KINDS = frozenset({"int", "float", "bool"})
"""Kinds that become float64; all others become text."""

LARGEST = float(np.finfo(np.float32).max)
"""Numbers beyond this, infinities too, are cut to it: scikit-learn's forests take no larger ones, nor do gateways."""


def is_numeric(feature: Feature) -> bool:
    """Return whether the feature is a number to the model."""
    return feature.kind in NUMERIC_KINDS


def frame_of(table: pa.Table, features: Sequence[Feature]) -> pd.DataFrame:
    """Return the feature columns of `table` as a data frame, in the order of `features`.

    Args:
        table: Rows; other columns are ignored.
        features: Input columns of the model.

    Raises:
        DataError: A column is absent, or holds what its kind cannot say.
    """
    numeric = [feature.name for feature in features if is_numeric(feature)]
    texts = [feature.name for feature in features if not is_numeric(feature)]
    numbers = np.empty((table.num_rows, len(numeric)), order="F")
    for position, name in enumerate(numeric):
        numbers[:, position] = numbers_of(table, name)
    words = np.empty((table.num_rows, len(texts)), dtype=object, order="F")
    for position, name in enumerate(texts):
        words[:, position] = texts_of(table, name)
    framed = _framed(numbers, numeric, words, texts)
    return framed[[feature.name for feature in features]] if texts else framed


def frame_of_values(
    columns: Mapping[str, Sequence[Any]], features: Sequence[Feature]
) -> pd.DataFrame:
    """Return plain values, such as a request's, as a data frame like `frame_of` gives.

    Args:
        columns: Values by feature, n of each; None, NaN or "" where missing.
        features: Input columns of the model.
    """
    made: dict[str, npt.NDArray[Any]] = {}
    for feature in features:
        values = columns[feature.name]
        if is_numeric(feature):
            numbers = np.array([np.nan if value is None else value for value in values], np.float64)
            made[feature.name] = np.clip(numbers, -LARGEST, LARGEST)
        else:
            words = np.empty(len(values), dtype=object)
            words[:] = [value if isinstance(value, str) and value else np.nan for value in values]
            made[feature.name] = words
    return pd.DataFrame(made)


def laid_out(frame: pd.DataFrame, features: Sequence[Feature], more: int = 0) -> pd.DataFrame:
    """Return rows as `frame_of` lays them out in memory, with the last one repeated.

    Linear algebra takes one way through columns that lie side by side and another through rows that do, which shows in
    the last bits of its sums; a slice of a frame and a sum of frames lie as they come.

    Args:
        frame: n rows, 1 or more, as `frame_of` or `frame_of_values` gives them.
        features: Its columns.
        more: How often the last row is repeated behind them.
    """
    rows = np.append(np.arange(len(frame)), np.full(more, len(frame) - 1))
    numeric = [feature.name for feature in features if is_numeric(feature)]
    texts = [feature.name for feature in features if not is_numeric(feature)]
    numbers = np.empty((len(rows), len(numeric)), order="F")
    for position, name in enumerate(numeric):
        numbers[:, position] = frame[name].to_numpy()[rows]
    words = np.empty((len(rows), len(texts)), dtype=object, order="F")
    for position, name in enumerate(texts):
        words[:, position] = frame[name].to_numpy()[rows]
    framed = _framed(numbers, numeric, words, texts)
    return framed[[feature.name for feature in features]] if texts else framed


def numbers_of(table: pa.Table, name: str) -> npt.NDArray[np.float64]:
    """Return a column as float64, shape (n,), NaN where missing, cut to the range of float32.

    Raises:
        DataError: The column is absent or does not hold numbers.
    """
    column = _column(table, name)
    try:
        values = column.cast(pa.float64(), safe=False).to_numpy()
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        msg = f"column {name!r} holds {column.type}, which does not read as numbers: {error}"
        raise DataError(msg) from error
    return np.asarray(np.clip(values, -LARGEST, LARGEST), dtype=np.float64)


def texts_of(table: pa.Table, name: str) -> npt.NDArray[Any]:
    """Return a column as objects, shape (n,): text, or NaN where missing or empty.

    Raises:
        DataError: The column is absent or cannot be written as text.
    """
    column = _column(table, name)
    try:
        coded = column.cast(pa.string()).combine_chunks().dictionary_encode()
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        msg = f"column {name!r} holds {column.type}, which does not read as text: {error}"
        raise DataError(msg) from error
    if isinstance(coded, pa.ChunkedArray):
        coded = coded.combine_chunks()
    words = np.empty(len(coded.dictionary) + 1, dtype=object)
    words[:-1] = [word or np.nan for word in coded.dictionary.to_pylist()]
    words[-1] = np.nan
    codes = pc.fill_null(coded.indices, len(coded.dictionary)).to_numpy(zero_copy_only=False)
    return np.asarray(words[codes], dtype=object)


def _framed(
    numbers: npt.NDArray[np.float64],
    numeric: list[str],
    words: npt.NDArray[Any],
    texts: list[str],
) -> pd.DataFrame:
    """Return two arrays side by side as a data frame."""
    left = pd.DataFrame(numbers, columns=pd.Index(numeric, dtype=object), copy=False)
    if not texts:
        return left
    right = pd.DataFrame(words, columns=pd.Index(texts, dtype=object), dtype=object, copy=False)
    return pd.concat([left, right], axis=1)


def _column(table: pa.Table, name: str) -> Any:
    at = table.schema.get_field_index(
        name
    )  # looking through the names costs their number each time
    if at < 0:
        msg = f"the table has no column {name!r}; it has {', '.join(table.column_names[:20])}"
        raise DataError(msg)
    return table.column(at)
