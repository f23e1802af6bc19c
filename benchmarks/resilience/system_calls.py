"""A trace of system calls: between a request and its durable answer the log is written, and then synchronised.

With one client at a time the order is exact: the read of the request, a write to the log, an fsync that begins after
that write and ends before the answer is written to the socket.
"""

import asyncio
import re
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from benchmarks.resilience.asking import Told, keep_asking
from benchmarks.resilience.stage import Stage, gateway

_FOLDER = "system-calls"
_TRACER = (
    "-f",
    "-y",
    "-s",
    "24",
    "-e",
    "trace=fsync,fdatasync,read,recvfrom,write,pwrite64,writev,sendto",
)
_CALL = re.compile(r"^\d+ +(?P<call>\w+)\((?P<fd>\d+)<(?P<path>[^>]*)>(?P<rest>.*)$")
_RESUMED = re.compile(r"^\d+ +<\.\.\. (?P<call>\w+) resumed>(?P<rest>.*)$")
_SYNCS = frozenset({"fsync", "fdatasync"})
_WRITES = frozenset({"write", "pwrite64", "writev", "sendto"})


@dataclass
class Call:
    """One system call; `begun` and `ended` are places in the order of the trace."""

    name: str
    fd: int
    path: str
    text: str
    begun: int
    ended: int


def measure(stage: Stage, times: int) -> bool:
    """Trace a gateway while one client asks so many times; return whether every answer waited for its fsync."""
    tracer = shutil.which("strace")
    if tracer is None:
        print("system_calls: not measured: strace is missing: apt-get install strace")
        return False
    path = stage.publish(_FOLDER, stage.document(1, 1, "durable"))
    trace = path.with_name("trace.txt")
    with gateway(path, before=(tracer, *_TRACER, "-o", str(trace))) as served:
        told = asyncio.run(_ask(stage, served.url, times))
    with trace.open(errors="replace") as lines:
        waited, early = judge(read_trace(lines))
    print(
        f"system_calls: {len(told.answers):,} durable answers; {waited:,} were sent after an fsync that followed the "
        f"write of their log line, {early} before"
    )
    kept = early == 0 and waited >= len(told.answers)
    print(f"  {'kept' if kept else 'BROKEN'}: the fsync comes before the answer")
    return kept


async def _ask(stage: Stage, url: str, times: int) -> Told:
    told, stop = Told(), asyncio.Event()
    asking = asyncio.create_task(keep_asking(url, stage.rows, told, stop, concurrency=1))
    while len(told.answers) < times and not asking.done():  # noqa: ASYNC110 (a count, not an event)
        await asyncio.sleep(0.01)
    stop.set()
    await asking
    return told


def read_trace(lines: Iterable[str]) -> Iterator[Call]:
    """Return the calls of a trace in the order in which they ended; those that another thread interrupts are joined."""
    open_calls: dict[str, Call] = {}
    for place, line in enumerate(lines):
        thread = line.split(" ", 1)[0]
        if found := _CALL.match(line):
            call = Call(found["call"], int(found["fd"]), found["path"], found["rest"], place, place)
            if "<unfinished ...>" in call.text:
                open_calls[thread] = call
            else:
                yield call
        elif (found := _RESUMED.match(line)) and (begun := open_calls.pop(thread, None)):
            begun.text += found["rest"]
            begun.ended = place
            yield begun


def judge(calls: Iterable[Call]) -> tuple[int, int]:
    """Return how many answers were sent after their fsync, and how many before it."""
    asked: dict[int, int] = {}
    written = synced = -1
    waited = early = 0
    for call in calls:
        # The write-ahead log makes an answer durable; a checkpoint may move older ones into the file meanwhile.
        is_log = call.path.endswith("/log.db-wal")
        if "POST /predict" in call.text and call.name not in _WRITES:
            asked[call.fd] = call.ended
        elif is_log and call.name in _WRITES:
            written = call.begun
        elif is_log and call.name in _SYNCS and call.begun > written:
            synced = call.ended if written >= 0 else synced
        elif "HTTP/1.1 200" in call.text and call.fd in asked:
            request = asked.pop(call.fd)
            in_order = request < written < synced < call.begun
            waited, early = waited + in_order, early + (not in_order)
    return waited, early
