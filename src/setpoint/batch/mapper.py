"""A function over Arrow batches that answers with a bundle: for `DataFrame.mapInArrow` of Spark, and whatever is alike.

```python
from setpoint.batch.mapper import mapper

answer = mapper("/models/churn/3")
answers = frame.mapInArrow(answer, answer.schema_of(frame))
```

The function travels as the bundle's folder and its digest. Each process that runs it loads the bundle once, from that
folder, and refuses one whose files have another digest. Spark itself is not imported.
"""

import copy
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from typing import Any

import pyarrow as pa

from setpoint.batch.checking import Checks
from setpoint.batch.model import BatchModel
from setpoint.batch.one_version import ask
from setpoint.contract.data import Format
from setpoint.errors import BundleError, DataError
from setpoint.facts.deployment import Deployed
from setpoint.gateway.models.native import load_native
from setpoint.gateway.models.versions import load_version, read_manifest

_SQL = {pa.string(): "string", pa.float64(): "double"}


def mapper(bundle: str | Path, *, native: bool = False, form: Format | None = None) -> "Mapper":
    """Return the function that answers with a bundle.

    Args:
        bundle: Folder of the bundle, as every process that answers sees it.
        native: Whether it may be a pickle, which is code: only of a bundle whose maker you trust.
        form: How cells of text are written, as `data.format` of a contract says it.

    Raises:
        BundleError: It is no bundle, was altered, or is a pickle that may not be loaded.
    """
    found = Mapper(Path(bundle).absolute(), native=native, form=form)
    found.load()
    return found


class Mapper:
    """Answers batches of rows; made by `mapper`.

    Args:
        bundle: Folder of the bundle.
        native: Whether it may be a pickle.
        form: How cells of text are written.

    Attributes:
        artifact: Digest over the bundle's files. A process that finds another one refuses to answer.
    """

    def __init__(self, bundle: Path, *, native: bool, form: Format | None) -> None:
        manifest = read_manifest(bundle)
        if manifest.runtime == "native" and not native:
            msg = (
                f"{bundle} holds a pickle, which is code: say native=True if you trust who wrote it"
            )
            raise BundleError(msg)
        self.artifact = manifest.artifact
        self._bundle = str(bundle)
        self._runtime = manifest.runtime
        self._form = form or Format()

    @property
    def answers(self) -> pa.Schema:
        """The columns that follow those of the rows: `prediction`, `probability`, and `error` where there is none."""
        kind = pa.string() if self.load().schema.classes else pa.float64()
        return pa.schema(
            [("prediction", kind), ("probability", pa.float64()), ("error", pa.string())]
        )

    def schema_of(self, frame: Any) -> Any:
        """Return the schema of the answers to a data frame of Spark: its own columns, and `answers` after them.

        Raises:
            DataError: It lacks an input, or has one of these columns already.
        """
        schema = copy.deepcopy(frame.schema)
        self._require(schema.names)
        for column in self.answers:
            schema = schema.add(column.name, _SQL[column.type])
        return schema

    def __call__(self, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Answer batches of rows: the same rows, with `answers` behind them.

        Raises:
            BundleError: The bundle is missing, or not the one that the function was made of.
            DataError: A batch lacks an input, or has a column of the answers already.
        """
        model = self.load()
        checks = Checks(model.schema, self._form)
        for batch in batches:
            self._require(batch.schema.names)
            yield self._answered(batch, model, checks)

    def load(self) -> BatchModel:
        """Return the bundle's model; it is loaded once in a process.

        Raises:
            BundleError: The bundle is missing, or not the one that the function was made of.
        """
        return _loaded(self._bundle, self.artifact, self._runtime)

    def _require(self, names: list[str]) -> None:
        if taken := [name for name in self.answers.names if name in names]:
            raise DataError(f"the rows have the columns {', '.join(taken)}; rename or drop them")
        Checks(self.load().schema, self._form).require_columns(names)

    def _answered(self, batch: pa.RecordBatch, model: BatchModel, checks: Checks) -> pa.RecordBatch:
        told = ask(pa.Table.from_batches([batch]), checks, model)
        labels: list[Any] = [None] * batch.num_rows
        chances: list[Any] = [None] * batch.num_rows
        for row, label, chance in zip(told.rows.tolist(), told.labels, told.chances, strict=True):
            labels[row], chances[row] = label, chance
        errors = told.errors()
        whys = [errors.get(row) for row in range(batch.num_rows)]
        schema, columns = batch.schema, list(batch.columns)
        for column, values in zip(self.answers, (labels, chances, whys), strict=True):
            schema = schema.append(column)
            columns.append(pa.array(values, column.type))
        return pa.RecordBatch.from_arrays(columns, schema=schema)


@cache
def _loaded(bundle: str, artifact: str, runtime: str) -> BatchModel:
    """Return the model of a bundle: one for each process, however many batches it is handed."""
    deployed = Deployed(version=0, bundle=bundle, artifact=artifact, runtime=runtime)
    native = load_native if runtime == "native" else None
    # Engines run as many processes as they have room for: a model takes no further threads.
    return BatchModel(load_version(deployed, Path(bundle), native, ThreadPoolExecutor(1)))
