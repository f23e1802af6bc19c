"""Tests of the access log: every request once, nothing secret, and no disk or reader that could hold answers up."""

import contextlib
import errno
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from tests.gateway.test_workers import is_ready, send

from setpoint.adapters.key_file import KeyFile
from setpoint.clock import SystemClock
from setpoint.errors import UsageError
from setpoint.facts.api_key import ApiKey
from setpoint.gateway.watching.access_log import AccessLog
from setpoint.gateway.watching.trail import Trail
from setpoint.wiring.gateway import build_app
from setpoint.wiring.gateway_plan import GatewayPlan

TRACE = "0af7651916cd43dd8448eb211c80319c"
TRACEPARENT = f"00-{TRACE}-b7ad6b7169203331-01".encode()


def lines_of(path):
    return [json.loads(line) for line in Path(path).read_text(encoding="utf-8").splitlines()]


def trail(number=0, **changes):
    return Trail(at=1_700_000_000.25, started=1.0, ended=1.5, path=f"/{number}", **changes)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "access.log"


@pytest.fixture
def open_log(path):
    with contextlib.ExitStack() as stack:

        def opened(**options):
            log = AccessLog(str(path), **({"every_s": 0.01} | options))
            stack.callback(log.close)
            return log

        yield opened


@pytest.fixture
def watched(project, client_of, path):
    """A client of an application with an access log."""
    project.add(1)
    project.deploy(1, {1: 1.0})
    client = client_of(
        build_app(GatewayPlan(deployment=project.path, access_log=str(path)), SystemClock())
    )
    client.until(lambda: client.station.follower.serving)
    return client


def test_a_line_says_who_asked_what_and_what_was_answered(watched, row, path):
    headers = {b"x-request-id": b"r-1", b"traceparent": TRACEPARENT}
    answer = watched.post("/predict", row, headers)
    watched.until(path.read_text)
    (line,) = lines_of(path)
    moment = line.pop("time")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}\+00:00", moment)
    assert 0 < line.pop("seconds") < 5
    assert line == {
        "status": 200,
        "received": len(json.dumps(row)),
        "sent": len(json.dumps(answer.content, separators=(",", ":"))),
        "pid": os.getpid(),
        "method": "POST",
        "path": "/predict",
        "route": "/predict",
        "request_id": "r-1",
        "trace_id": TRACE,
        "model": "churn",
        "version": "1",
        "variant": "champion",
        "rows": 1,
        "prediction_id": answer.content["prediction_id"],
    }


def test_every_door_and_every_refusal_has_its_line(watched, row, path):
    watched.post("/v1/predict", [[3, 70.5, True, None, "x"]] * 2)
    watched.post("/invocations", {"instances": [row]})
    tensors = {"name": "rows", "shape": [1, 5], "datatype": "BYTES", "data": []}
    watched.post("/v2/models/churn/infer", {"id": "oip-7", "inputs": [tensors]})
    watched.post("/predict", {})
    watched.call("DELETE", "/predict")
    watched.get("/nowhere")
    watched.get("/healthz")
    watched.until(lambda: len(path.read_text().splitlines()) == 7)
    found = [
        (line["route"], line["status"], line.get("refused", ""), line.get("rows", 0))
        for line in lines_of(path)
    ]
    assert found[:2] == [("/v1/predict", 200, "", 2), ("/invocations", 200, "", 1)]
    assert found[2][0] == "/v2/models/{model}/infer"
    assert found[3:] == [
        ("/predict", 422, "contract", 0),
        ("/predict", 405, "method", 0),
        ("unknown", 404, "unknown", 0),
        ("/healthz", 200, "", 0),
    ]


def test_neither_keys_nor_rows_are_in_the_log_but_whose_key_it_was(
    project, client_of, row, path, tmp_path
):
    project.add(1)
    project.deploy(1, {1: 1.0})
    keys = tmp_path / "keys.json"
    key = KeyFile(keys).add(ApiKey(name="ann", digest=""))
    plan = GatewayPlan(deployment=project.path, access_log=str(path), keys=keys)
    client = client_of(build_app(plan, SystemClock()))
    client.until(lambda: client.station.follower.serving)
    client.post("/predict", row, {b"authorization": f"Bearer {key}".encode()})
    client.post("/predict", row, {b"x-api-key": b"stolen-from-somewhere"})
    client.until(lambda: len(path.read_text().splitlines()) == 2)
    allowed, refused = lines_of(path)
    assert (allowed["status"], allowed["caller"]) == (200, "the API key of 'ann'")
    assert (refused["status"], refused["refused"], "caller" in refused) == (401, "key", False)
    text = path.read_text()
    assert key not in text
    assert "stolen" not in text
    assert "C-1" not in text


def test_the_trace_is_in_the_prediction_log_where_the_client_gave_no_id(watched, row):
    logged = []
    log = watched.station.writer._log
    append = log.append
    log.append = lambda predictions: (logged.extend(predictions), append(predictions))
    watched.post("/predict", row, {b"traceparent": TRACEPARENT})
    watched.post("/predict", row, {b"traceparent": TRACEPARENT, b"x-request-id": b"r-1"})
    watched.post("/predict", row, {b"traceparent": b"00-broken"})
    watched.until(lambda: len(logged) == 3)
    assert [line.request for line in logged] == [TRACE, "r-1", ""]


def test_nothing_is_lost_when_the_log_is_closed(open_log, path):
    log = open_log(every_s=60.0)
    for number in range(2_500):
        log.put(trail(number))
    log.close()
    assert [line["path"] for line in lines_of(path)] == [f"/{number}" for number in range(2_500)]
    assert (log.written, log.dropped) == (2_500, 0)


def test_what_finds_no_room_is_dropped_and_counted(open_log, path):
    log = open_log(every_s=60.0, capacity=10)
    for number in range(25):
        log.put(trail(number))
    log.close()
    assert len(lines_of(path)) == 10
    assert (log.written, log.dropped) == (10, 15)


def test_a_file_that_was_moved_away_is_opened_anew(open_log, path, wait_until):
    log = open_log()
    log.put(trail(1))
    wait_until(lambda: log.written == 1)
    path.rename(path.with_suffix(".1"))
    log.put(trail(2))
    wait_until(lambda: log.written == 2)
    path.unlink()
    log.put(trail(3))
    wait_until(lambda: log.written == 3)
    assert [line["path"] for line in lines_of(path.with_suffix(".1"))] == ["/1"]
    assert [line["path"] for line in lines_of(path)] == ["/3"]


def test_a_full_disk_drops_lines_and_the_next_ones_are_whole(
    open_log, path, wait_until, monkeypatch
):
    log = open_log()
    real = os.write
    full = threading.Event()

    def write(fd, data):
        if fd != log._fd or not full.is_set():
            return real(fd, data)
        if len(data) > 40:
            return real(fd, data[:40])
        raise OSError(errno.ENOSPC, "no space left")

    monkeypatch.setattr(os, "write", write)
    full.set()
    log.put(trail(1))
    wait_until(lambda: log.dropped == 1)
    full.clear()
    log.put(trail(2))
    wait_until(lambda: log.written == 1)
    torn, whole = path.read_text().splitlines()
    assert not torn.endswith("}")
    assert json.loads(whole)["path"] == "/2"


def test_a_folder_that_is_not_there_is_told_at_the_start(tmp_path):
    with pytest.raises(UsageError, match=r"nowhere/access\.log cannot be opened"):
        AccessLog(str(tmp_path / "nowhere" / "access.log"))


@pytest.mark.parametrize("path_", ["/" + "\x01" * 5_000, "/" + "日" * 5_000])
def test_a_line_fits_into_what_a_pipe_takes_whole(open_log, path, path_):
    log = open_log()
    hostile = Trail(
        at=1.0, started=0.0, ended=1.0, path=path_, request="\x02" * 200, caller="\x03" * 900
    )
    log.put(hostile)
    log.close()
    assert len(path.read_bytes()) <= 4_096
    assert lines_of(path)[0]["request_id"] == "\x02" * 200


READER = """
import sys
from setpoint.gateway.watching.access_log import AccessLog, STDOUT
from setpoint.gateway.watching.trail import Trail
log = AccessLog(STDOUT, every_s=0.01, capacity=5000)
for number in range(20000):
    log.put(Trail(at=1.0, started=0.0, ended=1.0, path="/" + "x" * 100))
log.close()
sys.stderr.write(f"{log.written} {log.dropped}")
"""


def test_a_pipe_that_nobody_reads_holds_nobody_up(wait_until):
    started = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-c", READER], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    told = process.stderr.read().decode()
    assert process.wait(10) == 0, told
    assert time.perf_counter() - started < 9
    written, dropped = map(int, told.split())
    assert dropped >= 15_000
    assert len(process.stdout.read().splitlines()) >= written
    process.stdout.close()
    process.stderr.close()


def test_a_reader_that_goes_away_ends_nothing():
    process = subprocess.Popen(
        [sys.executable, "-c", READER], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    process.stdout.close()
    told = process.stderr.read().decode()
    process.stderr.close()
    assert process.wait(10) == 0
    written, dropped = map(int, told.split())
    assert written == 0
    assert dropped == 20_000


def test_a_named_pipe_without_a_reader_holds_nobody_up_and_its_lines_are_whole(
    open_log, path, wait_until
):
    os.mkfifo(path)
    log = open_log()
    for number in range(2_000):
        log.put(trail(number, request="r" * 200))
    wait_until(lambda: log.written + log.dropped == 2_000)
    assert log.dropped > 1_000  # the system keeps 64 KiB
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    try:
        found = b""
        while len(lines := found.split(b"\n")[:-1]) < log.written:
            found += os.read(reader, 100_000)
    finally:
        os.close(reader)
    assert [json.loads(line)["path"] for line in lines] == [f"/{n}" for n in range(log.written)]


def test_workers_write_whole_lines_to_one_pipe(project, start_gateway, row, wait_until):
    project.add(1)
    project.deploy(1, {1: 1.0})
    gateway = start_gateway(workers=2, access_log="stdout")
    wait_until(lambda: all(is_ready(gateway.url) for _ in range(8)))
    reading = []
    thread = threading.Thread(target=lambda: reading.append(gateway.process.stdout.read()))
    thread.start()
    sent = send(gateway.url, [row] * 800)
    gateway.process.send_signal(signal.SIGTERM)
    thread.join(20)
    found = [json.loads(line) for line in reading[0].decode().splitlines()]
    answered = [line for line in found if line["path"] == "/predict"]
    assert {line["prediction_id"] for line in answered} == {
        one.answer.prediction_id for one in sent
    }
    assert all(line["peer"].startswith("127.0.0.1:") for line in answered)
