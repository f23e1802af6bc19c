"""What a worker's process costs, under the names that Prometheus' own clients have; nothing where there is no /proc."""

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from setpoint.gateway.watching.metrics import Labels, Metric, Reading

_OWN = Path("/proc/self")
# Fields of `stat` after the process's name, counted from 0; see proc(5).
_USER, _SYSTEM, _STARTED, _VIRTUAL, _RESIDENT = 11, 12, 19, 20, 21
_FILES = "Max open files"

Stat = Sequence[float]


def process_metrics() -> tuple[Metric, ...]:
    """Return the metrics of the process that asks."""
    return (
        Reading(
            "process_cpu_seconds",
            "Processor time, user and system, of all workers.",
            lambda: _of_stat(lambda fields: (fields[_USER] + fields[_SYSTEM]) / _ticks()),
            kind="counter",
        ),
        Reading(
            "process_resident_memory_bytes",
            "Resident memory of all workers; what they share is counted for each.",
            lambda: _of_stat(lambda fields: fields[_RESIDENT] * os.sysconf("SC_PAGE_SIZE")),
            across="sum",
        ),
        Reading(
            "process_virtual_memory_bytes",
            "Virtual memory of all workers.",
            lambda: _of_stat(lambda fields: fields[_VIRTUAL]),
            across="sum",
        ),
        Reading(
            "process_open_fds",
            "Open file descriptors, of the worker that has most.",
            _open_files,
        ),
        Reading(
            "process_max_fds",
            "File descriptors that each worker may have.",
            _most_files,
        ),
        Reading(
            "process_start_time_seconds",
            "When the oldest worker started, in seconds since 1970-01-01 UTC.",
            lambda: _of_stat(lambda fields: _booted() + fields[_STARTED] / _ticks()),
            across="min",
        ),
    )


def _of_stat(value: Callable[[Stat], float]) -> Mapping[Labels, float]:
    """Return a value of the process's `stat`, or nothing."""
    try:
        text = (_OWN / "stat").read_text()
    except OSError:
        return {}
    return {(): value([_whole(field) for field in text.rpartition(")")[2].split()])}


def _whole(field: str) -> float:
    """Return a field as a number; the process's state is a letter."""
    return float(field) if field.lstrip("-").isdigit() else 0.0


def _ticks() -> float:
    """Return how many of the kernel's ticks make a second."""
    return float(os.sysconf("SC_CLK_TCK"))


def _booted() -> float:
    """Return when the machine started, in seconds since 1970-01-01 UTC."""
    for line in Path("/proc/stat").read_text().splitlines():
        if line.startswith("btime "):
            return float(line.split()[1])
    return 0.0


def _open_files() -> Mapping[Labels, float]:
    try:
        return {(): float(sum(1 for _ in (_OWN / "fd").iterdir()))}
    except OSError:
        return {}


def _most_files() -> Mapping[Labels, float]:
    """Return the soft limit of open files; none where there is no limit."""
    try:
        lines = (_OWN / "limits").read_text().splitlines()
    except OSError:
        return {}
    for line in lines:
        if line.startswith(_FILES) and (soft := line[len(_FILES) :].split()[0]).isdigit():
            return {(): float(soft)}
    return {}
