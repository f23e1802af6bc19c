"""Traces of a real gateway process, as a collector receives them over OTLP."""

import gzip
import http.server
import json
import os
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status
from tests.gateway.conftest import ROW, Project, models, project  # noqa: F401 (fixtures)

from setpoint.errors import UsageError
from setpoint.settings import Tracing
from setpoint.wiring import watching

TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
COMMAND = (
    "from pathlib import Path; import sys; from setpoint.settings import read_tracing; "
    "from setpoint.wiring.gateway import run_gateway; "
    "from setpoint.wiring.gateway_plan import GatewayPlan; "
    "run_gateway(GatewayPlan(deployment=Path(sys.argv[1]), port=0, workers=int(sys.argv[2]), "
    "tracing=read_tracing()))"
)


class Collector:
    """Receives spans as an OpenTelemetry collector does, over OTLP/HTTP."""

    def __init__(self, status=200):
        self.spans = []
        self.resources = []
        self.paths = []
        collector = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["content-length"]))
                if self.headers.get("content-encoding") == "gzip":
                    body = gzip.decompress(body)
                collector.paths.append(self.path)
                if status == 200:
                    collector.take(ExportTraceServiceRequest.FromString(body))
                answer = ExportTraceServiceResponse().SerializeToString()
                self.send_response(status)
                self.send_header("content-type", "application/x-protobuf")
                self.send_header("content-length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self.thread = threading.Thread(target=self.server.serve_forever)
        self.thread.start()

    def take(self, request):
        for resource in request.resource_spans:
            self.resources.append(attributes(resource.resource))
            for scope in resource.scope_spans:
                self.spans.extend(scope.spans)

    def close(self):
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


def attributes(thing):
    return {one.key: one.value.string_value or one.value.int_value for one in thing.attributes}


@pytest.fixture
def collector():
    found = Collector()
    yield found
    found.close()


@pytest.fixture
def start(project, collector):  # noqa: F811 (a fixture of the same name)
    """Start a gateway under these variables of OpenTelemetry's, and return its URL and its end."""
    started = []
    project.add(1)
    project.deploy(1, {1: 1.0}, log="durable")

    def run(workers=1, **variables):
        environment = {name: value for name, value in os.environ.items() if "OTEL" not in name}
        process = subprocess.Popen(
            [sys.executable, "-c", COMMAND, str(project.path), str(workers)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={
                **environment,
                "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url,
                "OTEL_BSP_SCHEDULE_DELAY": "50",
                **variables,
            },
        )
        started.append(process)
        line = process.stdout.readline().decode()
        if "://" not in line:
            raise RuntimeError(process.stderr.read().decode())
        url = line.split()[-1]
        until(lambda: ready(url))
        return url, process

    yield run
    for process in started:
        if process.poll() is None:
            process.kill()
            process.wait()
        process.stdout.close()
        process.stderr.close()


def ask(url, path, body=None, **headers):
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url + path, data, headers)  # noqa: S310 (our own gateway)
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as refused:
        return refused.code, refused.read().decode()


def ready(url):
    try:
        return ask(url, "/readyz")[0] == 200
    except OSError:
        return False


def until(condition, timeout_s=15.0):
    deadline = time.perf_counter() + timeout_s
    while not condition():
        assert time.perf_counter() < deadline, "waited in vain"
        time.sleep(0.02)


def named(collector, name):
    return [span for span in collector.spans if span.name == name]


def test_a_request_is_a_span_with_its_stages_under_the_callers(start, collector):
    url, process = start(OTEL_SERVICE_NAME="churn-gateway")
    before = time.time_ns()
    status, text = ask(
        url,
        "/predict",
        ROW,
        traceparent=f"00-{TRACE}-{PARENT}-01",
        tracestate="vendor=1",
        **{"x-request-id": "r-1"},
    )
    until(lambda: named(collector, "POST /predict"))
    (span,) = named(collector, "POST /predict")
    answer = json.loads(text)
    assert (span.trace_id.hex(), span.parent_span_id.hex()) == (TRACE, PARENT)
    assert (span.kind, span.trace_state) == (Span.SPAN_KIND_SERVER, "vendor=1")
    found = attributes(span)
    assert found.pop("http.response.body.size") == len(text)
    assert found.pop("network.peer.port") > 0
    assert found == {
        "http.request.method": "POST",
        "http.response.status_code": status,
        "http.route": "/predict",
        "url.path": "/predict",
        "http.request.body.size": len(json.dumps(ROW)),
        "client.address": "127.0.0.1",
        "network.peer.address": "127.0.0.1",
        "setpoint.request.id": "r-1",
        "setpoint.model.name": "churn",
        "setpoint.model.version": "1",
        "setpoint.variant": "champion",
        "setpoint.prediction.id": answer["prediction_id"],
        "setpoint.rows": 1,
    }
    children = [one for one in collector.spans if one.parent_span_id == span.span_id]
    children.sort(key=lambda one: one.start_time_unix_nano)
    assert [one.name for one in children] == ["decode", "infer", "log"]
    moments = [span.start_time_unix_nano]
    for one in children:
        assert one.trace_id == span.trace_id
        assert one.start_time_unix_nano == moments[-1]
        moments.append(one.end_time_unix_nano)
    moments.append(span.end_time_unix_nano)
    assert moments == sorted(moments)
    assert before - 1_000_000 <= moments[0] <= moments[-1] <= time.time_ns() + 1_000_000
    assert collector.resources[0]["service.name"] == "churn-gateway"
    assert collector.paths[0] == "/v1/traces"
    process.terminate()
    assert (process.wait(10), process.stderr.read()) == (0, b"")


def test_a_refused_request_is_a_span_and_one_that_the_caller_does_not_sample_is_none(
    start, collector
):
    url, process = start()
    ask(url, "/predict", ROW, traceparent=f"00-{TRACE}-{PARENT}-00")
    ask(url, "/predict", {})
    ask(url, "/nowhere")
    process.terminate()
    assert process.wait(10) == 0  # what waited is exported
    assert not [span for span in collector.spans if span.trace_id.hex() == TRACE]
    (refused,) = named(collector, "POST /predict")
    assert not refused.parent_span_id
    assert attributes(refused)["setpoint.refused"] == "contract"
    assert refused.status.code == Status.STATUS_CODE_UNSET  # the client's mistake, not the server's
    (lost,) = named(collector, "GET")
    assert "http.route" not in attributes(lost)
    assert collector.resources[0]["service.name"] == "setpoint-gateway"


def test_a_share_is_sampled_by_several_workers(start, collector):
    url, process = start(
        workers=2, OTEL_TRACES_SAMPLER="parentbased_traceidratio", OTEL_TRACES_SAMPLER_ARG="0.25"
    )
    until(lambda: all(ready(url) for _ in range(4)))
    for _ in range(200):
        ask(url, "/predict", ROW)
    process.terminate()
    assert process.wait(10) == 0
    taken = named(collector, "POST /predict")
    assert 20 < len(taken) < 90
    assert len({span.trace_id for span in taken}) == len(taken)


def test_a_collector_that_fails_costs_spans_and_nothing_else(start, collector):
    url, process = start(
        OTEL_EXPORTER_OTLP_ENDPOINT="http://127.0.0.1:9", OTEL_EXPORTER_OTLP_TIMEOUT="1"
    )
    assert ask(url, "/predict", ROW)[0] == 200
    until(lambda: "setpoint_spans_failed_total 0" not in ask(url, "/metrics")[1])
    started = time.perf_counter()
    process.terminate()
    assert process.wait(15) == 0
    assert time.perf_counter() - started < 10


def test_spans_that_went_out_are_counted(start, collector):
    url, _ = start()
    ask(url, "/predict", ROW)
    until(lambda: named(collector, "POST /predict"))
    until(lambda: "setpoint_spans_exported_total 0" not in ask(url, "/metrics")[1])
    assert "setpoint_spans_failed_total 0" in ask(url, "/metrics")[1]


def test_a_gateway_without_the_extra_says_how_to_get_it(monkeypatch):
    monkeypatch.setattr(watching, "_EXPORTER", "opentelemetry.exporter.nowhere.http")
    with pytest.raises(UsageError, match=r"install \"setpoint\[otel\]\""):
        watching.require_watch("", Tracing())
    watching.require_watch("", None)


def test_what_makes_traces_is_not_loaded_where_nobody_asks():
    code = "import sys, setpoint.wiring.gateway; print([n for n in sys.modules if 'opentelemetry' in n])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
