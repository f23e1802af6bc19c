"""A version's model, asked about columns: the runner that gateways ask about rows, so that the answers are the same."""

from collections.abc import Sequence
from concurrent.futures import Executor
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from setpoint.batch.deciding import Decisions, decide_all
from setpoint.facts.evidence import Scores
from setpoint.gateway.models.runtime import MISSING_TEXT, OnnxRunner
from setpoint.gateway.models.versions import Version
from setpoint.gateway.rows.schema import Schema

_ROWS_AT_ONCE = 4096  # some models need hundreds of numbers for each row on their way
_TEXT_KINDS = ("category", "text")


class ColumnRunner(Protocol):
    """A runner of a pickle, which takes columns as they are."""

    def run_columns(self, columns: Sequence[pa.Array]) -> Scores:
        """Return the answers for n rows that come as columns: float64, and text."""


class BatchModel:
    """Asks one version's model.

    Args:
        version: The version, loaded as gateways load it.
        pool: Where parts of a batch run beside each other; None for one after the other.
    """

    def __init__(self, version: Version, pool: Executor | None = None) -> None:
        self.version = version
        self._runner: Any = version.batcher.runner
        self._pool = pool
        self._texts = [rule.kind in _TEXT_KINDS for rule in self.schema.document.columns]

    @property
    def schema(self) -> Schema:
        """What its rows must be."""
        return self.version.schema

    def answer(self, columns: Sequence[pa.Array], rows: int) -> Decisions:
        """Return what the version says of n rows that were checked.

        A row that the model fails on has a reason, and the others have their answers, as if each had been asked alone.

        Args:
            columns: Inputs in the order of the schema.
            rows: Number of rows, 1 or more.
        """
        asked = self._onnx(columns, rows) if self._is_onnx else self._native(columns, rows)
        starts = list(range(0, rows, _ROWS_AT_ONCE))
        ends = [*starts[1:], rows]
        run = map if self._pool is None or len(starts) == 1 else self._pool.map
        parts = list(run(asked.part, starts, ends))
        reasons = {
            start + row: reason
            for start, part in zip(starts, parts, strict=True)
            for row, reason in part.reasons.items()
        }
        return Decisions(
            np.concatenate([part.codes for part in parts]),
            np.concatenate([part.values for part in parts]),
            reasons,
        )

    @property
    def _is_onnx(self) -> bool:
        return isinstance(self._runner, OnnxRunner)

    def _onnx(self, columns: Sequence[pa.Array], rows: int) -> "_Asked":
        numbers, texts = tensors(columns, self._texts, rows)

        def run(start: int, end: int) -> Scores:
            scores: Scores = self._runner.run_columns(
                numbers[start:end], texts[start:end], end - start
            )
            return scores

        return _Asked(run, self.schema)

    def _native(self, columns: Sequence[pa.Array], rows: int) -> "_Asked":
        del rows
        plain = [
            column if is_text else column.cast(pa.float64(), safe=False)
            for column, is_text in zip(columns, self._texts, strict=True)
        ]

        def run(start: int, end: int) -> Scores:
            scores: Scores = self._runner.run_columns(
                [one.slice(start, end - start) for one in plain]
            )
            return scores

        return _Asked(run, self.schema)


class _Run(Protocol):
    def __call__(self, start: int, end: int) -> Scores: ...


class _Asked:
    """Asks about a stretch of rows, and where that fails about its halves, down to the rows that it fails on."""

    def __init__(self, run: _Run, schema: Schema) -> None:
        self._run = run
        self._schema = schema

    def part(self, start: int, end: int) -> Decisions:
        """Return the decisions for the rows from `start` up to `end`."""
        try:
            return decide_all(self._schema, self._run(start, end), end - start)
        except Exception as error:  # noqa: BLE001  the model is foreign code: its failure is an answer's error, on record
            if end - start == 1:
                reason = f"{type(error).__name__}: {error}"[:500]
                codes = np.zeros(1 if self._schema.classes else 0, dtype=np.int64)
                return Decisions(codes, np.full(1, np.nan), {0: reason})
        middle = (start + end) // 2
        first, second = self.part(start, middle), self.part(middle, end)
        later = {middle - start + row: reason for row, reason in second.reasons.items()}
        return Decisions(
            np.concatenate([first.codes, second.codes]),
            np.concatenate([first.values, second.values]),
            first.reasons | later,
        )


def tensors(
    columns: Sequence[pa.Array], is_text: Sequence[bool], rows: int
) -> tuple[npt.NDArray[np.float64], npt.NDArray[Any]]:
    """Return columns as the two inputs of ONNX models: numbers with NaN, and texts with "", where one is missing.

    Args:
        columns: Typed columns, n values each.
        is_text: Which of them are categories and texts.
        rows: Number of rows.
    """
    numbers = np.empty((rows, len(columns) - sum(is_text)))
    texts = np.empty((rows, sum(is_text)), dtype=object)
    of_numbers = (column for column, text in zip(columns, is_text, strict=True) if not text)
    for place, column in enumerate(of_numbers):
        numbers[:, place] = column.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False)
    of_texts = (column for column, text in zip(columns, is_text, strict=True) if text)
    for place, column in enumerate(of_texts):
        coded = column.dictionary_encode()
        words = np.array([*coded.dictionary.to_pylist(), MISSING_TEXT], dtype=object)
        codes = pc.fill_null(coded.indices, len(words) - 1).to_numpy(zero_copy_only=False)
        texts[:, place] = words[codes]
    return numbers, texts
