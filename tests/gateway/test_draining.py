"""Tests of the end of a gateway process: load balancers are told first, what has arrived is answered, nothing hangs."""

import http.client
import json
import signal
import socket
import threading
import time
from urllib.parse import urlsplit

import pytest

from setpoint.gateway.limits import Limits
from setpoint.wiring.gateway_plan import Drain


@pytest.fixture
def start(project, start_gateway, wait_until):
    """Start a gateway that is ready."""

    def started(**plan):
        project.add(1)
        project.deploy(1, {1: 1.0})
        gateway = start_gateway(**plan)
        wait_until(lambda: get(gateway, "/readyz")[0] == 200)
        return gateway

    return started


def get(gateway, path):
    """Return status, `connection` header and body of an answer on a connection of its own."""
    place = urlsplit(gateway.url)
    link = http.client.HTTPConnection(place.hostname, place.port, timeout=5)
    try:
        link.request("GET", path)
        answer = link.getresponse()
        return answer.status, answer.getheader("connection"), answer.read().decode()
    finally:
        link.close()


def is_gone(gateway):
    place = urlsplit(gateway.url)
    try:
        socket.create_connection((place.hostname, place.port), timeout=1).close()
    except ConnectionError:
        return True
    return False


def test_sigterm_makes_it_unready_first_and_requests_are_answered_meanwhile(start, wait_until):
    gateway = start(drain=Drain(delay_s=1.5))
    started = time.perf_counter()
    gateway.process.send_signal(signal.SIGTERM)
    wait_until(lambda: get(gateway, "/readyz")[0] == 503)
    status, connection, body = get(gateway, "/readyz")
    assert (status, connection) == (503, "close")
    assert "draining: the gateway was told to stop" in body
    assert get(gateway, "/healthz")[0] == 200  # alive: nobody shall restart it
    assert get(gateway, "/v2/health/ready")[0] == 503
    assert get(gateway, "/v2/models/churn")[:2] == (200, "close")
    assert gateway.process.wait(10) == 0
    assert time.perf_counter() - started > 1.4


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("second", [signal.SIGTERM, signal.SIGINT])
def test_second_signal_skips_the_delay(start, wait_until, second, workers):
    gateway = start(drain=Drain(delay_s=30.0), workers=workers)
    gateway.process.send_signal(signal.SIGTERM)
    wait_until(lambda: get(gateway, "/readyz")[0] == 503)
    gateway.process.send_signal(second)
    assert gateway.process.wait(5) == 0


def test_somebody_at_a_terminal_waits_for_no_load_balancer(start):
    gateway = start(drain=Drain(delay_s=30.0))
    gateway.process.send_signal(signal.SIGINT)
    assert gateway.process.wait(5) == 0


def test_request_that_does_not_arrive_is_not_waited_for_longer_than_said(start):
    gateway = start(drain=Drain(most_s=0.5))
    place = urlsplit(gateway.url)
    with socket.create_connection((place.hostname, place.port), timeout=10) as link:
        link.sendall(b"POST /predict HTTP/1.1\r\ncontent-length: 5\r\n\r\n{")
        time.sleep(0.1)
        gateway.process.send_signal(signal.SIGTERM)
        assert link.recv(100) == b""
    assert gateway.process.wait(5) == 0


def test_last_worker_that_closes_leaves_nobody_waiting_at_the_door(start):
    gateway = start(workers=2, drain=Drain(most_s=5.0))
    place = urlsplit(gateway.url)
    with socket.create_connection((place.hostname, place.port), timeout=10) as link:
        link.sendall(b"POST /predict HTTP/1.1\r\ncontent-length: 2\r\n\r\n{")
        time.sleep(0.1)
        gateway.process.send_signal(signal.SIGTERM)
        ended = time.perf_counter() + 5
        while not is_gone(gateway):  # though one worker still waits for the end of that request
            assert time.perf_counter() < ended
            time.sleep(0.02)
        assert gateway.process.poll() is None
        link.sendall(b"}")
        assert link.recv(12) == b"HTTP/1.1 422"
    assert gateway.process.wait(10) == 0


def test_requests_under_way_end_while_new_ones_go_elsewhere(start, row):
    """Clients that keep their connections, as load balancers do, lose no request."""
    gateway = start(drain=Drain(delay_s=1.0), limits=Limits(rows=5))
    place = urlsplit(gateway.url)
    statuses, broken, told = [], [], threading.Event()

    def ask():
        while True:
            link = http.client.HTTPConnection(place.hostname, place.port, timeout=5)
            try:
                link.connect()
            except ConnectionError:
                return  # nobody listens any more
            try:
                while True:
                    link.request("POST", "/predict", json.dumps(row))
                    answer = link.getresponse()
                    answer.read()
                    statuses.append(answer.status)
                    if answer.will_close:
                        break
            except (ConnectionError, http.client.HTTPException) as error:
                broken.append((told.is_set(), repr(error)))
            finally:
                link.close()

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    time.sleep(0.3)
    told.set()
    gateway.process.send_signal(signal.SIGTERM)
    for thread in threads:
        thread.join(10)
    assert gateway.process.wait(10) == 0
    assert set(statuses) == {200}
    # The last connections may come in the moment in which the door closes; those kept from before do not break.
    assert len(broken) <= len(threads), broken


def test_terminal_that_is_gone_does_not_cut_what_has_arrived(start, row, wait_until):
    gateway = start(drain=Drain(delay_s=60.0))
    place = urlsplit(gateway.url)
    body = json.dumps(row).encode()
    with socket.create_connection((place.hostname, place.port), timeout=5) as half:
        half.sendall(b"POST /predict HTTP/1.1\r\nContent-Length: %d\r\n\r\n" % len(body) + body[:9])
        wait_until(lambda: "setpoint_connections 2" in get(gateway, "/metrics")[2])
        gateway.process.send_signal(signal.SIGHUP)
        wait_until(lambda: is_gone(gateway))
        half.sendall(body[9:])
        assert half.recv(100).startswith(b"HTTP/1.1 200 OK")
    assert gateway.process.wait(10) == 0


def test_process_under_nohup_stays_when_the_terminal_goes(start):
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        gateway = start()
    finally:
        signal.signal(signal.SIGHUP, before)
    gateway.process.send_signal(signal.SIGHUP)
    time.sleep(0.3)
    assert get(gateway, "/healthz")[0] == 200
