"""MLServer with its scikit-learn runtime, Open Inference Protocol: in one process, and as it comes, with workers."""

import json
from collections.abc import Sequence

from benchmarks.serving.peers.peer import MODEL, SCIKIT_LEARN, Peer

_MODEL_SETTINGS = {
    "name": "bench",
    "implementation": "mlserver_sklearn.SKLearnModel",
    "parameters": {"uri": f"./{MODEL}"},
}


def _body(row: Sequence[float]) -> bytes:
    tensor = {"name": "rows", "shape": [1, len(row)], "datatype": "FP64", "data": list(row)}
    return json.dumps({"inputs": [tensor], "outputs": [{"name": "predict_proba"}]}).encode()


def _settings(**more: int) -> str:
    ports = '"http_port": $port, "grpc_port": $spare0, "metrics_port": $spare1'
    rest = json.dumps({"host": "127.0.0.1", "debug": False, **more})[1:-1]
    return f"{{{ports}, {rest}}}"


def _peer(name: str, settings: str) -> Peer:
    return Peer(
        name=name,
        # 1.7.1 starts its own event loop in a way that newer uvloops have no more.
        requirements=("mlserver==1.7.1", "mlserver-sklearn==1.7.1", "uvloop<0.22", *SCIKIT_LEARN),
        command=("mlserver", "start", "."),
        path="/v2/models/bench/infer",
        body=_body,
        read=lambda content: float(json.loads(content)["outputs"][0]["data"][1]),
        files={"settings.json": settings, "model-settings.json": json.dumps(_MODEL_SETTINGS)},
    )


MLSERVER = _peer("MLServer, one process", _settings(parallel_workers=0))
MLSERVER_WORKERS = _peer("MLServer, default", _settings())
