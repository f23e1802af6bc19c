"""The answers of shadows, each beside the live answer to the same row and its outcome.

They lie in a log of their own beside the prediction log and of the same form, so that nobody who reads that, or the
Parquet files of its past hours, can take an answer that was never given for one that was. The id of a shadow's answer
begins with that of the live answer, and its instant is the same.
"""

import math
from collections.abc import Callable

import pyarrow as pa
import pyarrow.compute as pc

from setpoint.adapters.log.chunk_log import ChunkLog
from setpoint.adapters.log.store import Stretch
from setpoint.adapters.log.table import live_ids

_SHADOW = ("id", "at", "generation", "prediction", "probability", "latency_s", "error")
_LIVE = ("id", "position", "version", "prediction", "probability", "latency_s", "error")
_LAST = "~"  # orders behind whatever follows an id


class ShadowLog:
    """Reads what shadows answered.

    Args:
        live: The prediction log.
        opened: Returns the shadows' log, or None where there is none yet.
    """

    def __init__(self, live: ChunkLog, opened: Callable[[], ChunkLog | None]) -> None:
        self._live = live
        self._opened = opened

    def pairs(
        self, version: int, start: float, end: float, *, generation: int = 0, by_row: bool = False
    ) -> pa.Table:
        """Return what a shadow answered to rows of a stretch, each beside the live answer, in order of time.

        Columns: `tick`, `prediction`, `probability`, `latency_s`, `error` of the shadow; the same of the live answer
        prefixed `live_`, and `live_version`, null where it is not in the log; `outcome` and `outcome_at`, null where it
        is not known.

        Args:
            version: The shadow.
            start: First tick, by when the live answer was given.
            end: Tick after the last.
            generation: Generation of the deployment document; copies made under earlier ones are left out.
            by_row: Whether ticks are positions of live answers in the prediction log; else they are instants.

        Raises:
            JournalError: A log cannot be read.
        """
        log = self._opened()
        if log is None:
            return _NOTHING
        if by_row:
            return self._by_row(log, version, (start, end), generation)
        asked = Stretch("at", start, end, version, generation)
        shadow = _with_live_id(log.read(asked, _SHADOW), generation)
        if not shadow.num_rows:
            return _NOTHING
        low, high = pc.min_max(shadow["live"]).as_py().values()
        live = self._live.read(Stretch("id", low, high), _LIVE, judged=True)
        return _joined(shadow, live, "at")

    def _by_row(
        self, log: ChunkLog, version: int, ticks: tuple[float, float], generation: int
    ) -> pa.Table:
        first, last = (max(0, math.ceil(tick)) for tick in ticks)
        live = self._live.read(Stretch("position", first, last), _LIVE, judged=True)
        if not live.num_rows:
            return _NOTHING
        low, high = pc.min_max(live["id"]).as_py().values()
        asked = Stretch("id", low, high + _LAST, version, generation)
        shadow = _with_live_id(log.read(asked, _SHADOW), generation)
        shadow = shadow.filter(pc.is_in(shadow["live"], value_set=live["id"].combine_chunks()))
        return _joined(shadow, live, "position") if shadow.num_rows else _NOTHING


def _with_live_id(table: pa.Table, generation: int) -> pa.Table:
    """Return a shadow's answers since a generation, with the id of the live answer to each row."""
    table = table.filter(pc.greater_equal(table["generation"], generation))
    return table.append_column("live", live_ids(table["id"]))


def _joined(shadow: pa.Table, live: pa.Table, axis: str) -> pa.Table:
    """Return a shadow's answers with the live ones beside them."""
    ids = live["id"].combine_chunks()
    places = pc.index_in(shadow["live"], value_set=ids).combine_chunks()
    beside = live.take(places) if live.num_rows else _nulls(live, shadow.num_rows)
    ticks = shadow["at"] if axis == "at" else beside["position"]
    columns = {
        "tick": ticks.cast(pa.float64()),
        **{name: shadow[name] for name in ("prediction", "probability", "latency_s", "error")},
        **{f"live_{name}": beside[name] for name in ("version", *_SHADOW[3:])},
        "outcome": beside["outcome"],
        "outcome_at": beside["outcome_at"],
        "id": shadow["live"],
    }
    return pa.table(columns).sort_by([("tick", "ascending"), ("id", "ascending")])


def _nulls(table: pa.Table, rows: int) -> pa.Table:
    return pa.table({field.name: pa.nulls(rows, field.type) for field in table.schema})


_NOTHING = pa.table(
    {
        "tick": pa.array([], pa.float64()),
        "prediction": pa.array([], pa.string()),
        "probability": pa.array([], pa.float64()),
        "latency_s": pa.array([], pa.float64()),
        "error": pa.array([], pa.string()),
        "live_version": pa.array([], pa.int64()),
        "live_prediction": pa.array([], pa.string()),
        "live_probability": pa.array([], pa.float64()),
        "live_latency_s": pa.array([], pa.float64()),
        "live_error": pa.array([], pa.string()),
        "outcome": pa.array([], pa.string()),
        "outcome_at": pa.array([], pa.float64()),
        "id": pa.array([], pa.string()),
    }
)
