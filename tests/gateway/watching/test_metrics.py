"""Tests of the exposition."""

import re
import socket
import threading
import time
import urllib.request

import msgspec

from setpoint.adapters.watched_file import WATCHED
from setpoint.facts.watched import Watched
from setpoint.gateway.watching.metrics import Counter, Histogram, Reading, exposition

SAMPLE = re.compile(r'^[a-z_]+(\{([a-z_]+="([^"\\\n]|\\.)*",?)+\})? -?[0-9.e+-]+$')


def test_names_that_dashboards_have_with_model_and_version(client, row):
    client.post("/predict", row)
    client.post("/v1/predict", [[3, 70.5, True, None, "x"]] * 2)
    client.post("/predict", {})
    lines = client.get("/metrics").content.splitlines()
    labels = 'model="churn",version="1"'
    assert f"model_predictions_total{{{labels}}} 3" in lines
    assert f"model_prediction_latency_seconds_count{{{labels}}} 2" in lines
    assert "# TYPE model_prediction_errors_total counter" in lines
    assert "setpoint_deployment_generation 1" in lines
    refused = 'http_request_method="POST",http_route="/predict",http_response_status_code="422"'
    assert f"http_server_request_duration_seconds_count{{{refused}}} 1" in lines
    buckets = [
        line for line in lines if "http_server" in line and "_bucket" in line and refused in line
    ]
    assert len(buckets) == 15  # the fourteen of OpenTelemetry and infinity
    assert all(SAMPLE.match(line) for line in lines if not line.startswith("#"))


def test_only_methods_that_nobody_made_up_are_told_apart(client):
    client.post("/v2/models/nobody/infer", {})
    client.get("/nowhere")
    client.call("GET", "/predict")
    client.call("BREW", "/predict")
    count = "http_server_request_duration_seconds_count"
    lines = client.get("/metrics").content.splitlines()
    found = {line[len(count) + 1 :].rpartition("}")[0] for line in lines if line.startswith(count)}
    assert found == {
        f'http_request_method="{method}",http_route="{route}",http_response_status_code="{status}"'
        for method, route, status in (
            ("POST", "/v2/models/{model}/infer", 404),
            ("GET", "unknown", 404),
            ("GET", "/predict", 405),
            ("_OTHER", "/predict", 405),
        )
    }


def test_openmetrics_where_the_scraper_asks_for_it(client):
    answer = client.get("/metrics", {b"accept": b"application/openmetrics-text; version=1.0.0"})
    assert answer.headers[b"content-type"].startswith(b"application/openmetrics-text")
    assert answer.content.endswith("# EOF\n")
    assert "# TYPE model_predictions counter" in answer.content


def test_buckets_are_cumulative_and_inclusive():
    histogram = Histogram("h_seconds", "text", ("a",), (0.1, 1.0))
    for value in (0.05, 0.1, 0.5, 1.0, 7.0):
        histogram.observe(("x",), value)
    assert exposition([histogram], openmetrics=False).decode().splitlines()[2:] == [
        'h_seconds_bucket{a="x",le="0.1"} 2',
        'h_seconds_bucket{a="x",le="1"} 4',
        'h_seconds_bucket{a="x",le="+Inf"} 5',
        'h_seconds_sum{a="x"} 8.65',
        'h_seconds_count{a="x"} 5',
    ]


def test_label_values_cannot_break_out():
    counter = Counter("c", "text", ("a",))
    counter.add(('"}\n\\',))
    assert counter.samples() == {'c_total{a="\\"}\\n\\\\"}': 1.0}


def test_unknown_paths_and_methods_do_not_grow_the_metrics(client):
    for number in range(50):
        client.get(f"/{number}")
        client.call(f"M{number}", "/predict")
    lines = client.get("/metrics").content.splitlines()
    assert sum("http_server_request_duration_seconds_count" in line for line in lines) == 2


def test_counter_without_labels_is_shown_at_zero():
    text = exposition([Counter("c", "t"), Reading("g", "t", lambda: {(): 2.5})], openmetrics=False)
    assert b"c_total 0\n" in text
    assert b"g 2.5\n" in text


def test_refusals_by_kind_and_broken_rules_by_column(client, row):
    client.post("/predict", row | {"tenure": "three"})
    client.post("/predict", row | {"tenure": None, "plan": "daily"})
    client.post("/predict", {name: row[name] for name in row if name != "charges"} | {"charge": 3})
    client.post("/invocations", {"instances": [row | {"charges": -1}]})
    client.post("/predict", b"{")
    client.get("/nowhere")
    lines = client.get("/metrics").content.splitlines()
    found = {line for line in lines if line.startswith(("setpoint_refusals", "setpoint_contract"))}
    assert found == {
        'setpoint_refusals_total{kind="contract"} 4',
        'setpoint_refusals_total{kind="unreadable"} 1',
        'setpoint_refusals_total{kind="unknown"} 1',
        'setpoint_contract_breaches_total{column="tenure",rule="type"} 1',
        'setpoint_contract_breaches_total{column="tenure",rule="null"} 1',
        'setpoint_contract_breaches_total{column="plan",rule="value"} 1',
        'setpoint_contract_breaches_total{column="charges",rule="missing"} 1',
        'setpoint_contract_breaches_total{column="charges",rule="range"} 1',
        'setpoint_contract_breaches_total{column="_OTHER",rule="unknown"} 1',
    }


def test_labels_of_a_counter_do_not_grow_without_bound():
    counter = Counter("c", "text", ("a",), most=2)
    for name in ("x", "y", "z", "q", "x"):
        counter.add((name,))
    assert counter.samples() == {
        'c_total{a="x"}': 2.0,
        'c_total{a="y"}': 1.0,
        'c_total{a="_OTHER"}': 2.0,
    }


def test_what_is_served_what_waits_and_how_the_log_does(client, row):
    client.post("/predict", row)
    client.until(lambda: client.station.writer.written == 1)
    lines = client.get("/metrics").content.splitlines()
    arm = 'model="churn",version="1"'
    (info,) = [line for line in lines if line.startswith(f"setpoint_model_info{{{arm}")]
    assert 'variant="champion",artifact="' in info
    assert info.endswith('runtime="onnx",task="binary"} 1')
    assert "setpoint_ready 1" in lines
    assert "http_server_active_requests 1" in lines  # this one
    assert f"setpoint_batch_rows_sum{{{arm}}} 1" in lines
    assert f"setpoint_rows_waiting{{{arm}}} 0" in lines
    assert "setpoint_log_lag_seconds 0" in lines
    assert "setpoint_log_commit_seconds_count 1" in lines
    assert any(line.startswith("process_cpu_seconds_total ") for line in lines)
    assert any(line.startswith("process_open_fds ") for line in lines)


def test_gateway_without_a_model_is_not_ready_and_says_so(project, open_client):
    project.folder.mkdir()
    client = open_client(ready=False)
    client.until(lambda: client.station.follower.refused)
    lines = client.get("/metrics").content.splitlines()
    assert "setpoint_ready 0" in lines
    assert "setpoint_deployment_generation 0" in lines
    assert not any(line.startswith("setpoint_model_info{") for line in lines)


def test_log_that_stands_still_lags(client, row):
    log = client.station.writer._log
    append, stuck = log.append, threading.Event()
    log.append = lambda predictions: (stuck.wait(5), append(predictions))
    client.post("/predict", row)
    time.sleep(0.1)
    lines = client.get("/metrics").content.splitlines()
    lag = next(line for line in lines if line.startswith("setpoint_log_lag_seconds "))
    assert 0.1 <= float(lag.split()[1]) < 5
    assert "setpoint_log_pending 1" in lines
    stuck.set()
    client.until(lambda: client.station.writer.written == 1)
    assert "setpoint_log_lag_seconds 0" in client.get("/metrics").content.splitlines()


def test_what_the_loop_saw_last_is_shown_beside_the_gateways_own(client, project):
    watched = Watched(
        model="churn",
        version=1,
        at=50.0,
        values={"drift.share": 0.5, "performance.accuracy": 0.81},
        failing=("drift.share",),
        psi={"tenure": 0.41},
    )
    before = client.get("/metrics").content
    assert "\nmodel_accuracy{" not in before
    (project.folder / WATCHED).write_bytes(msgspec.json.encode(watched))
    lines = client.get("/metrics").content.splitlines()
    arm = 'model="churn",version="1"'
    assert f"model_accuracy{{{arm}}} 0.81" in lines
    assert f'feature_drift_psi{{{arm},feature="tenure"}} 0.41' in lines
    assert f'setpoint_signal{{{arm},signal="drift.share"}} 0.5' in lines
    assert f'setpoint_signal_failing{{{arm},signal="drift.share"}} 1' in lines
    assert f'setpoint_signal_failing{{{arm},signal="performance.accuracy"}} 0' in lines
    assert f"setpoint_watched_timestamp_seconds{{{arm}}} 50" in lines


def test_somebody_who_never_sends_a_whole_request_is_counted(project, start_gateway, wait_until):
    project.add(1)
    project.deploy(1, {1: 1.0})
    gateway = start_gateway()
    host, port = gateway.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port))) as client:
        client.sendall(b"what is this\r\n\r\n")
        assert client.recv(1000).startswith(b"HTTP/1.1 400 ")
    with urllib.request.urlopen(gateway.url + "/metrics", timeout=5) as answer:  # noqa: S310 (ours)
        lines = answer.read().decode().splitlines()
    assert 'setpoint_refusals_total{kind="unreadable"} 1' in lines
    assert "setpoint_connections 1" in lines
    assert any('http_route="unknown",http_response_status_code="400"' in line for line in lines)
