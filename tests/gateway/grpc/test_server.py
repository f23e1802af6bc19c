"""Real clients, unchanged, against the door for gRPC of a gateway process; kills, draining, bounds, TLS."""

import asyncio
import contextlib
import gzip
import signal
import threading
from concurrent.futures import ThreadPoolExecutor

import grpc
import numpy as np
import psutil
import pytest
import tritonclient.grpc as triton
import tritonclient.grpc.aio as triton_aio
import tritonclient.http as triton_http
from tritonclient.grpc import service_pb2
from tritonclient.utils import InferenceServerException

from setpoint.adapters.key_file import KeyFile
from setpoint.adapters.log.sqlite_log import SqliteLog
from setpoint.facts.api_key import ApiKey
from setpoint.gateway.grpc.server import STATUSES, _reason, _timeout
from setpoint.gateway.limits import Limits

ROWS = 3
COLUMNS = {
    "tenure": ("INT64", np.array([3, 100, 50], np.int64)),
    "charges": ("FP32", np.array([70.5, 20.0, 33.3], np.float32)),
    "paperless": ("BOOL", np.array([True, False, True])),
    "plan": ("BYTES", np.array(["monthly", "yearly", ""], object)),
    "region": ("BYTES", np.array([b"north", "süd".encode(), "日本".encode()], object)),
}
INFER = "/inference.GRPCInferenceService/ModelInfer"


@pytest.fixture
def gateway(project, start_gateway):
    """A gateway process that serves versions 1 and 2, with a door for gRPC."""
    project.add(1)
    project.add(2)
    project.deploy(1, {1: 1.0})
    return start_gateway(grpc_port=0)


@pytest.fixture
def address(gateway, address_of, wait_until):
    """Host and port of its door, once it is ready."""
    address = address_of(gateway)
    with triton.InferenceServerClient(address) as remote:
        wait_until(remote.is_server_ready)
    return address


def inputs_of(shape=(ROWS, 1), module=triton, columns=COLUMNS):
    made = []
    for name, (datatype, values) in columns.items():
        made.append(module.InferInput(name, list(shape), datatype))
        made[-1].set_data_from_numpy(values.reshape(shape))
    return made


def answers(result):
    return {name: result.as_numpy(name) for name in ("label", "probability")}


def logged_ids(project):
    log = SqliteLog(project.folder / "log.db")
    found = log.window(0.0, 1e12)
    log.close()
    return set(found["id"].to_pylist())


def test_both_doors_answer_tritons_clients_alike(gateway, address):
    """REST with its binary extension sends the same bytes: the answers must be equal bit for bit."""
    over_http = triton_http.InferenceServerClient(gateway.url.removeprefix("http://"))
    with triton.InferenceServerClient(address) as remote, over_http:
        for shape in ((ROWS, 1), (ROWS,)):
            found = remote.infer("churn", inputs_of(shape), request_id="r-1")
            expected = over_http.infer("churn", inputs_of(shape, triton_http))
            for name, values in answers(expected).items():
                assert np.array_equal(found.as_numpy(name), values)
            assert found.as_numpy("probability").dtype == np.float64
            assert found.get_response().id == "r-1"
            assert len(set(found.as_numpy("prediction_id").tolist())) == ROWS
        asked = [triton.InferRequestedOutput("probability")]
        only = remote.infer("churn", inputs_of(), model_version="2", outputs=asked)
        assert only.as_numpy("label") is None
        assert only.get_response().model_version == "2"


def test_what_tritons_client_asks_beside_inference(address):
    with triton.InferenceServerClient(address) as remote:
        assert remote.is_server_live()
        assert remote.is_server_ready()
        assert remote.is_model_ready("churn", "2")
        assert remote.get_server_metadata().name == "setpoint"
        assert [one.name for one in remote.get_model_metadata("churn").inputs] == list(COLUMNS)
        assert remote.get_model_config("churn").config.input[0].data_type == 9
        assert [one.version for one in remote.get_model_repository_index().models] == ["1", "2"]
        with pytest.raises(InferenceServerException, match="Method not found") as refused:
            remote.get_inference_statistics()
        assert refused.value.status() == "StatusCode.UNIMPLEMENTED"


def test_refusals_have_status_column_and_reason(address):
    wrong = inputs_of()
    wrong[0].set_data_from_numpy(np.array([[3], [121], [5]], np.int64))
    with triton.InferenceServerClient(address) as remote:
        for sent, model, version, status, said in (
            (wrong, "churn", "", "INVALID_ARGUMENT", "row 1: column 'tenure': 121 is above the"),
            (inputs_of()[1:], "churn", "", "INVALID_ARGUMENT", "column 'tenure': is missing"),
            (inputs_of(), "churn", "9", "NOT_FOUND", "no version '9' prepared here"),
            (inputs_of(), "other", "", "NOT_FOUND", "no model 'other' here; there is 'churn'"),
        ):
            with pytest.raises(InferenceServerException) as refused:
                remote.infer(model, sent, model_version=version)
            assert refused.value.status() == f"StatusCode.{status}"
            assert said in refused.value.message()


def test_reasons_fit_into_a_trailer_however_they_are_written(address):
    """What is no ASCII grows threefold on the wire, and clients cut connections over too large trailers."""
    column = "日本" * 30
    columns = {f"{column}{number}": values for number, values in enumerate(COLUMNS.values())}
    with triton.InferenceServerClient(address) as remote:
        with pytest.raises(InferenceServerException, match="日本") as refused:
            remote.infer("churn", inputs_of(columns=columns))
        assert refused.value.status() == "StatusCode.INVALID_ARGUMENT"
        assert remote.is_server_live()
    long = _reason(('{"error": "' + "日" * 9000 + '"}').encode())
    assert 300 < len(long) < 500
    assert long.endswith("…")


def test_bytes_that_are_no_message_are_refused(address):
    with grpc.insecure_channel(address) as channel:
        raw = channel.unary_unary(INFER)
        for sent in (b"\xff\xff", b"\x0a\xff", b"\x0a\x02\xff\xfe"):
            with pytest.raises(
                grpc.RpcError, match="the message is no ModelInferRequest"
            ) as refused:
                raw(sent)
            assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT


def test_headers_travel_both_ways(address):
    with grpc.insecure_channel(address) as channel:
        request = service_pb2.ModelInferRequest(model_name="churn")
        request.inputs.extend(one._get_tensor() for one in inputs_of())
        request.raw_input_contents.extend(one._get_content() for one in inputs_of())
        infer = channel.unary_unary(INFER)
        metadata = (("x-setpoint-version", "2"), ("binary-bin", b"\x00\xff"))
        found = infer(request.SerializeToString(), metadata=metadata)
        assert service_pb2.ModelInferResponse.FromString(found).model_version == "2"


def test_health_as_the_kubelet_asks(address):
    with grpc.insecure_channel(address) as channel:
        check = channel.unary_unary("/grpc.health.v1.Health/Check")
        assert check(b"") == b"\x08\x01"


def test_sixteen_streams_at_once_get_their_own_answers(address):
    with triton.InferenceServerClient(address) as remote:
        expected = remote.infer("churn", inputs_of()).as_numpy("probability")

    def ask(stream):
        order = np.random.default_rng(stream).permutation(ROWS)
        columns = {name: (kind, values[order]) for name, (kind, values) in COLUMNS.items()}
        with triton.InferenceServerClient(address) as remote:
            for number in range(40):
                identity = f"{stream}-{number}"
                found = remote.infer("churn", inputs_of(columns=columns), request_id=identity)
                assert np.array_equal(found.as_numpy("probability"), expected[order])
                assert found.get_response().id == identity
        return 40

    with ThreadPoolExecutor(16) as pool:
        assert sum(pool.map(ask, range(16))) == 640

    async def ask_all():
        async with triton_aio.InferenceServerClient(address) as remote:
            asked = [remote.infer("churn", inputs_of()) for _ in range(100)]
            return [one.as_numpy("probability") for one in await asyncio.gather(*asked)]

    assert all(np.array_equal(one, expected) for one in asyncio.run(ask_all()))


class Asking:
    """Sixteen clients that ask until they are stopped or refused.

    Args:
        address: Whom they ask.
    """

    def __init__(self, address):
        self.given = set()
        self.failed = []
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._ask, args=(address,)) for _ in range(16)]
        for thread in self._threads:
            thread.start()

    def _ask(self, address):
        with triton.InferenceServerClient(address) as remote:
            while not self._stop.is_set():
                try:
                    found = remote.infer("churn", inputs_of())
                except InferenceServerException as error:
                    self.failed.append((error.status(), error.message()))
                    return
                ids = found.as_numpy("prediction_id").tolist()
                self.given |= {one.decode() for one in ids}

    def stop(self):
        self._stop.set()
        for thread in self._threads:
            thread.join(20)


def test_kill_9_loses_no_answer_that_was_given(gateway, address, project, wait_until):
    project.deploy(2, {1: 1.0}, log="durable")
    with triton.InferenceServerClient(address) as remote:

        def generation():
            said = remote.infer("churn", inputs_of()).get_response().parameters
            return said["generation"].int64_param

        wait_until(lambda: generation() == 2)
    asking = Asking(address)
    wait_until(lambda: len(asking.given) > 300)
    gateway.kill()
    asking.stop()
    assert {status for status, _ in asking.failed} == {"StatusCode.UNAVAILABLE"}
    assert asking.given <= logged_ids(project)


def test_sigterm_answers_what_has_arrived_and_refuses_the_rest(
    gateway, address, project, wait_until
):
    asking = Asking(address)
    wait_until(lambda: len(asking.given) > 300)
    assert gateway.terminate() == (0, "")
    asking.stop()
    assert {status for status, _ in asking.failed} == {"StatusCode.UNAVAILABLE"}
    assert asking.given <= logged_ids(project)


def test_calls_whose_client_gives_up_harm_nobody(gateway, address):
    with triton.InferenceServerClient(address) as remote:

        def ask(timeout_s):
            try:
                remote.infer("churn", inputs_of(), client_timeout=timeout_s)
            except InferenceServerException as error:
                return error.status()
            return ""

        gateway.process.send_signal(signal.SIGSTOP)
        with ThreadPoolExecutor(16) as pool:
            told = set(pool.map(ask, [0.2] * 32))
        gateway.process.send_signal(signal.SIGCONT)
        assert told == {"StatusCode.DEADLINE_EXCEEDED"}
        amid = {ask(number * 2e-5) for number in range(1, 100)}
        assert amid <= {"", "StatusCode.DEADLINE_EXCEEDED"}
        assert remote.infer("churn", inputs_of()).as_numpy("label").shape == (ROWS,)
    assert gateway.terminate() == (0, "")


def test_large_messages_and_small_ones_that_grow_are_refused(gateway, address):
    def ask(size, compression=None):
        with grpc.insecure_channel(address) as channel:
            with pytest.raises(grpc.RpcError) as refused:
                channel.unary_unary(INFER)(b"\0" * size, compression=compression)
            return refused.value.code()

    assert ask(900_000) is grpc.StatusCode.INVALID_ARGUMENT  # read, and no message
    assert ask(1_100_000) is grpc.StatusCode.RESOURCE_EXHAUSTED
    before = psutil.Process(gateway.process.pid).memory_info().rss
    bomb = 200_000_000
    assert len(gzip.compress(b"\0" * bomb, 1)) < 1_000_000
    assert ask(bomb, grpc.Compression.Gzip) is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert psutil.Process(gateway.process.pid).memory_info().rss - before < bomb / 4
    with triton.InferenceServerClient(address) as remote:
        found = remote.infer("churn", inputs_of(), compression_algorithm="gzip")
        assert found.as_numpy("label").shape == (ROWS,)


def test_as_many_rows_as_are_allowed_are_answered(address):
    many = Limits().rows
    columns = {name: (kind, np.resize(values, many)) for name, (kind, values) in COLUMNS.items()}
    with triton.InferenceServerClient(address) as remote:
        found = remote.infer("churn", inputs_of((many,), columns=columns))
        assert found.as_numpy("probability").shape == (many, 2)
        columns = {
            name: (kind, np.resize(values, many + 1)) for name, (kind, values) in COLUMNS.items()
        }
        with pytest.raises(InferenceServerException, match="1001 rows, a request may have up to"):
            remote.infer("churn", inputs_of((many + 1,), columns=columns))


def test_keys_by_metadata(project, start_gateway, address_of, tmp_path, wait_until):
    project.add(1)
    project.deploy(1, {1: 1.0})
    path = tmp_path / "keys.json"
    key = KeyFile(path).add(ApiKey(name="app", digest="", verbs=("predict",)))
    address = address_of(start_gateway(grpc_port=0, keys=path))
    with triton.InferenceServerClient(address) as remote:
        wait_until(remote.is_server_ready)
        for headers, status in (
            (None, "UNAUTHENTICATED"),
            ({"authorization": "Bearer wrong"}, "UNAUTHENTICATED"),
            ({"authorization": f"Bearer {key}"}, "PERMISSION_DENIED"),
        ):
            with pytest.raises(InferenceServerException) as refused:
                remote.get_model_metadata("churn", headers=headers)
            assert refused.value.status() == f"StatusCode.{status}"
        headers = {"authorization": f"Bearer {key}"}
        assert remote.infer("churn", inputs_of(), headers=headers).as_numpy("label") is not None


def test_over_tls_by_the_same_files(
    project, start_gateway, address_of, certificate, wait_until, tmp_path
):
    project.add(1)
    project.deploy(1, {1: 1.0})
    cert, key = certificate
    both = tmp_path / "both.pem"
    both.write_bytes(key.read_bytes() + cert.read_bytes())
    for files in ({"certificate": cert, "private_key": key}, {"certificate": both}):
        gateway = start_gateway(grpc_port=0, **files)
        address = address_of(gateway)
        with triton.InferenceServerClient(address, ssl=True, root_certificates=str(cert)) as remote:
            wait_until(remote.is_server_ready)
            assert remote.infer("churn", inputs_of()).as_numpy("label").shape == (ROWS,)
        with (
            triton.InferenceServerClient(address) as clear,
            pytest.raises(InferenceServerException) as refused,
        ):
            clear.is_server_live()
        assert refused.value.status() == "StatusCode.UNAVAILABLE"
        assert gateway.terminate()[0] == 0


def test_workers_share_the_port_and_outlive_each_other(
    project, start_gateway, address_of, wait_until
):
    project.add(1)
    project.deploy(1, {1: 1.0}, log="durable")
    gateway = start_gateway(grpc_port=0, workers=2)
    address = address_of(gateway)
    parent = psutil.Process(gateway.process.pid)
    port = int(address.rpartition(":")[2])

    def listeners():
        found = set()
        for child in parent.children():
            with contextlib.suppress(psutil.NoSuchProcess):
                ends = [(one.laddr.port, one.status) for one in child.net_connections()]
                found |= {child.pid} if (port, "LISTEN") in ends else set()
        return found

    wait_until(lambda: len(listeners()) == 2)
    own = (("grpc.use_local_subchannel_pool", 1),)

    def ask():
        with triton.InferenceServerClient(address, channel_args=own) as remote:
            return remote.infer("churn", inputs_of()).as_numpy("prediction_id").shape == (ROWS,)

    assert all(ask() for _ in range(20))
    first = min(listeners())
    psutil.Process(first).send_signal(signal.SIGKILL)
    wait_until(lambda: len(listeners() - {first}) == 2)  # another one took its place
    assert all(ask() for _ in range(20))
    code, errors = gateway.terminate()
    assert code == 0
    assert "another is started" in errors
    log = SqliteLog(project.folder / "log.db")
    assert log.window(0.0, 1e12).num_rows == 40 * ROWS
    log.close()


def test_statuses_say_whose_turn_it_is():
    """Clients try again what is UNAVAILABLE or RESOURCE_EXHAUSTED, and nothing that stays refused."""
    again = {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.RESOURCE_EXHAUSTED}
    assert {status for status, code in STATUSES.items() if code in again} == {429, 503}


def test_deadline_is_told_as_the_header_would_have():
    """Eight digits and a unit, however long the client waits."""
    assert [_timeout(left_s) for left_s in (0.0, 0.25, 99.0, 3600.0, 1e9)] == [
        b"0u",
        b"250000u",
        b"99000000u",
        b"3600000m",
        b"99999999m",
    ]
