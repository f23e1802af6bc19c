"""Tests of metrics over several workers: sums of what grows, dead workers' too, and the largest of what does not."""

import asyncio
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import msgspec
import pytest

from setpoint.gateway.watching.metrics import Counter, Histogram, Reading, exposition
from setpoint.gateway.watching.siblings import Siblings


@pytest.fixture
def siblings(tmp_path):
    with ThreadPoolExecutor(1) as executor:
        yield Siblings(tmp_path, executor)


@pytest.fixture(scope="module")
def dead():
    """The id of a process that is no more."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def metrics(count, generation, pending):
    counter = Counter("c", "text")
    counter.add(amount=count)
    histogram = Histogram("h", "text", (), (1.0,))
    for _ in range(count):
        histogram.observe((), 0.5)
    return [
        counter,
        histogram,
        Reading("g", "text", lambda: {(): generation}),
        Reading("p", "text", lambda: {(): pending}, across="sum"),
        Reading("m", "text", lambda: {(): generation}, across="min"),
    ]


def samples(found):
    return {metric.name: metric.samples() for metric in found}


def told(text):
    lines = text.decode().splitlines()
    return dict(line.rsplit(" ", 1) for line in lines if not line.startswith("#"))


def test_workers_add_up_and_the_dead_count_only_what_grows(siblings, tmp_path, dead):
    alive = os.getppid()
    (tmp_path / f"{alive}.json").write_bytes(msgspec.json.encode(samples(metrics(2, 7.0, 3.0))))
    (tmp_path / f"{dead}.json").write_bytes(msgspec.json.encode(samples(metrics(4, 9.0, 5.0))))
    found = told(exposition(metrics(1, 6.0, 1.0), siblings.others(), openmetrics=False))
    assert found == {
        "c_total": "7",
        'h_bucket{le="1"}': "7",
        'h_bucket{le="+Inf"}': "7",
        "h_sum": "3.5",
        "h_count": "7",
        "g": "7",
        "p": "4",
        "m": "6",
    }


def test_own_samples_are_not_counted_twice_and_broken_files_are_passed_over(siblings, tmp_path):
    asyncio.run(siblings.write(samples(metrics(1, 1.0, 1.0))))
    assert (tmp_path / f"{os.getpid()}.json").exists()
    (tmp_path / "1.json").write_bytes(b'{"c": {"c_total"')
    (tmp_path / "what.json").write_bytes(b"{}")
    assert siblings.others() == []


def test_full_disk_stops_nothing(tmp_path):
    with ThreadPoolExecutor(1) as executor:
        asyncio.run(Siblings(tmp_path / "gone", executor).write({}))
