"""All peers, by the name that the command line takes."""

from benchmarks.serving.peers.bentoml_serve import BENTOML
from benchmarks.serving.peers.fastapi_serve import FASTAPI
from benchmarks.serving.peers.litserve_serve import LITSERVE
from benchmarks.serving.peers.mlflow_serve import MLFLOW
from benchmarks.serving.peers.mlserver_sklearn import MLSERVER, MLSERVER_WORKERS
from benchmarks.serving.peers.peer import Peer
from benchmarks.serving.peers.ray_serve import RAY

PEERS: dict[str, Peer] = {
    "mlserver": MLSERVER,
    "mlserver-workers": MLSERVER_WORKERS,
    "litserve": LITSERVE,
    "bentoml": BENTOML,
    "fastapi": FASTAPI,
    "ray": RAY,
    "mlflow": MLFLOW,
}
