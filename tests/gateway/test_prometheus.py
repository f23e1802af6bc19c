"""Tests with the real promtool and a real Prometheus, which scrapes a gateway of two workers."""

import json
import shutil
import socket
import subprocess
import time
import urllib.parse
import urllib.request

import pytest
from tests.gateway.test_workers import is_ready, send

CONFIG = """
global: {{scrape_interval: 250ms}}
scrape_configs:
  - job_name: gateway
    static_configs: [{{targets: ['{target}']}}]
"""
PROMETHEUS, PROMTOOL = shutil.which("prometheus"), shutil.which("promtool")
pytestmark = pytest.mark.skipif(
    not (PROMETHEUS and PROMTOOL),
    reason="prometheus is not installed (apt install prometheus)",
)


@pytest.fixture
def prometheus(tmp_path):
    """Start a Prometheus that scrapes a target, and return what asks it."""
    started = []

    def start(target):
        config = tmp_path / "prometheus.yml"
        config.write_text(CONFIG.format(target=target))
        with socket.socket() as spare:
            spare.bind(("127.0.0.1", 0))
            port = spare.getsockname()[1]
        started.append(
            subprocess.Popen(
                [
                    PROMETHEUS,
                    f"--config.file={config}",
                    f"--storage.tsdb.path={tmp_path / 'data'}",
                    f"--web.listen-address=127.0.0.1:{port}",
                ],
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
        )

        def ask(query):
            words = urllib.parse.urlencode({"query": query})
            url = f"http://127.0.0.1:{port}/api/v1/query?{words}"
            try:
                with urllib.request.urlopen(url, timeout=5) as answer:
                    found = json.load(answer)["data"]["result"]
            except OSError:
                return None
            return float(found[0]["value"][1]) if found else None

        return ask

    yield start
    for process in started:
        process.terminate()
        process.wait(10)


def test_promtool_has_nothing_to_say(client, row):
    client.post("/predict", row)
    client.post("/predict", {})
    text = client.get("/metrics").content
    done = subprocess.run(
        [PROMTOOL, "check", "metrics"], input=text, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_promtool_would_say_something(client):
    text = client.get("/metrics").content.replace("setpoint_log_lost_total", "setpoint_log_lost")
    done = subprocess.run(
        [PROMTOOL, "check", "metrics"], input=text, capture_output=True, text=True, check=False
    )
    assert done.returncode != 0


def test_prometheus_understands_and_counts_every_answer_of_two_workers(
    project, start_gateway, prometheus, row
):
    project.add(1)
    project.deploy(1, {1: 1.0})
    gateway = start_gateway(workers=2)
    until(lambda: all(is_ready(gateway.url) for _ in range(8)))
    sent = send(gateway.url, [row] * 300)
    ask = prometheus(gateway.url.removeprefix("http://"))
    arm = 'model="churn",version="1"'
    until(lambda: ask(f"model_predictions_total{{{arm}}}") == len(sent))
    assert ask("up") == 1
    assert ask("setpoint_ready") == 1
    assert ask(f"model_prediction_latency_seconds_count{{{arm}}}") == len(sent)
    assert (
        0 < ask(f"histogram_quantile(0.99, model_prediction_latency_seconds_bucket{{{arm}}})") < 1
    )
    assert ask(f"sum(setpoint_batch_rows_sum{{{arm}}})") == len(sent)
    assert ask('count(setpoint_model_info{version="1",variant="champion",runtime="onnx"})') == 1
    until(lambda: ask("setpoint_log_written_total") == len(sent))
    assert ask("setpoint_log_lag_seconds") == 0
    assert ask("process_resident_memory_bytes") > 50e6


def until(condition, timeout_s=20.0):
    deadline = time.perf_counter() + timeout_s
    while not condition():
        assert time.perf_counter() < deadline, "waited in vain"
        time.sleep(0.05)
