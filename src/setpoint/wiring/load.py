"""Puts a client, rows and a steady rate together: what `setpoint load` calls."""

import asyncio
import gc
import random
import signal
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from setpoint.adapters.processor_time import used_and_waited
from setpoint.adapters.table_chunks import read_chunks
from setpoint.client.answer import Answer, Metadata
from setpoint.client.async_client import AsyncClient
from setpoint.client.retries import Retries
from setpoint.client.row_text import row_text
from setpoint.clock import SystemClock
from setpoint.contract.data import Format
from setpoint.contract.scalar import ScalarError
from setpoint.contract.shares import Share
from setpoint.contract.spans import Duration
from setpoint.errors import UsageError
from setpoint.facts.verdict import Verdict
from setpoint.load.judging import judge
from setpoint.load.made_rows import make_rows, read_wish
from setpoint.load.measured import Measured
from setpoint.load.steady import Pace, Steady
from setpoint.load.table_rows import table_rows
from setpoint.load.tally import Tally

try:
    import uvloop
except ImportError:  # it has no build for Windows
    uvloop = None

MOST_ROWS = 100_000  # of a table that are sent
MADE_ROWS = 10_000
_STOPPING = (signal.SIGINT, signal.SIGTERM)


@dataclass(frozen=True, kw_only=True)
class LoadWish:
    """What a person asks for.

    Args:
        url: The gateway.
        rate: Requests a second.
        seconds: How long.
        concurrency: Requests under way at once, at most.
        table: File of rows to send, over and over; None makes rows up.
        columns: What made-up columns hold, where the gateway does not say: `NAME=LOW..HIGH` or `NAME=VALUE,VALUE`.
        seed: Seed of made-up rows.
        key_file: File with the API key that is sent; None sends none.
        timeout_s: Seconds after which a request counts as not answered.
        errors: Share of requests that may go without an answer, such as `1%`.
        p99: What the 99th percentile of latency may be, such as `50ms`; None asks nothing of it.
        told: Told how far it is: seconds, requests sent, answers, errors.
    """

    url: str
    rate: float
    seconds: float
    concurrency: int = 256
    table: Path | None = None
    columns: Sequence[str] = ()
    seed: int = 7
    key_file: Path | None = None
    timeout_s: float = 10.0
    errors: str = "0%"
    p99: str | None = None
    told: Callable[[float, int, int, int], None] = lambda *_: None


@dataclass(frozen=True, kw_only=True)
class Loaded:
    """What came of it.

    Args:
        model: Name of the model.
        rows: Different rows that were sent.
        source: Where they come from: the table, or `made up`.
        assumed: Columns of made-up rows of which nobody said what they hold.
        measured: What was measured.
        verdicts: What that says.
    """

    model: str
    rows: int
    source: str
    assumed: tuple[str, ...]
    measured: Measured
    verdicts: tuple[Verdict, ...]


def run_load(wish: LoadWish) -> Loaded:
    """Send requests at a rate and return what was measured; an interrupt ends it early.

    Raises:
        UsageError: The wish makes no sense.
        DataError: The table cannot be read, or does not fit the model.
        ClientError: The gateway does not say what it serves.
    """
    if not (0 < wish.rate < float("inf") and 0 < wish.seconds < float("inf")):
        raise UsageError("a load needs a rate and a time, both above 0")
    if wish.concurrency < 1:
        raise UsageError("a load needs a concurrency of 1 or more")
    limits = _Limits(wish)
    run = asyncio.run if uvloop is None else uvloop.run
    found: Loaded = run(_load(wish, limits))
    return found


class _Limits:
    """What the wish says in words."""

    def __init__(self, wish: LoadWish) -> None:
        try:
            plain = wish.errors.replace(".", "", 1).isdigit()
            self.errors = float(Share.read(float(wish.errors) if plain else wish.errors))
            self.p99_s = None if wish.p99 is None else float(Duration.read(wish.p99))
        except ScalarError as error:
            raise UsageError(str(error)) from error
        self.columns = dict(read_wish(text) for text in wish.columns)
        if wish.table is not None and self.columns:
            raise UsageError("what columns hold is said by a table, or by --column, not by both")
        self.api_key = None if wish.key_file is None else _read_key(wish.key_file)


def _read_key(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        msg = f"the API key in {path} cannot be read: {error}"
        raise UsageError(msg) from error


async def _load(wish: LoadWish, limits: _Limits) -> Loaded:
    client = AsyncClient(
        wish.url,
        limits.api_key,
        wish.timeout_s,
        retries=Retries(most=0),  # what a repetition would hide is what a load looks for
        connections=wish.concurrency,
    )
    async with client:
        metadata = await client.metadata()
        texts, assumed = _texts(wish, limits, metadata)
        count = len(texts)

        def ask(number: int) -> Awaitable[Answer]:
            return client.predict(texts[number % count])

        measured = await _steadily(wish, ask)
    return Loaded(
        model=metadata.name,
        rows=count,
        source="made up" if wish.table is None else str(wish.table),
        assumed=assumed,
        measured=measured,
        verdicts=tuple(judge(measured, errors=limits.errors, p99_s=limits.p99_s)),
    )


def _texts(
    wish: LoadWish, limits: _Limits, metadata: Metadata
) -> tuple[list[msgspec.Raw], tuple[str, ...]]:
    """Return the rows as JSON, and which of their columns hold what nobody said."""
    key = str(metadata.parameters.get("key", ""))
    if wish.table is None:
        chance = random.Random(wish.seed)  # noqa: S311 (rows, no secrets)
        made = make_rows(metadata.inputs, MADE_ROWS, chance, key=key, wishes=limits.columns)
        rows, assumed = made.rows, made.assumed
    else:
        _, chunks = read_chunks(wish.table.absolute(), form=Format(), rows=MOST_ROWS)
        rows, assumed = table_rows(next(chunks), metadata.inputs, key=key), ()
    return [msgspec.Raw(row_text(row)) for row in rows], assumed


async def _steadily(wish: LoadWish, ask: Callable[[int], Awaitable[Answer]]) -> Measured:
    """Send until the time is over, or somebody interrupts."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in _STOPPING:
        loop.add_signal_handler(number, stop.set)

    def told(seconds: float, tally: Tally) -> None:
        wish.told(seconds, tally.sent, tally.answered, tally.errors.total())

    pace = Pace(
        wish.rate,
        wish.seconds,
        wish.concurrency,
        SystemClock().stopwatch,
        used_and_waited,
        told,
    )
    gc.collect()
    gc.freeze()  # the rows stay: a collection that looked at them would make requests late
    try:
        return await Steady(ask, pace).run(stop)
    finally:
        gc.unfreeze()
        for number in _STOPPING:
            loop.remove_signal_handler(number)
