"""BentoML: one worker, batches of up to 64 rows."""

import json
from collections.abc import Sequence

from benchmarks.serving.peers.peer import SCIKIT_LEARN, Peer

_SERVICE = """\
import pickle
import bentoml
import numpy as np

@bentoml.service(workers=1, metrics={"enabled": False}, logging={"access": {"enabled": False}})
class Bench:
    def __init__(self):
        with open("model.pkl", "rb") as file:
            self.model = pickle.load(file)

    @bentoml.api(batchable=True, batch_dim=0, max_batch_size=64, max_latency_ms=1000)
    def predict(self, rows: np.ndarray) -> np.ndarray:
        return self.model.predict_proba(rows)
"""


def _body(row: Sequence[float]) -> bytes:
    return json.dumps({"rows": [list(row)]}).encode()


BENTOML = Peer(
    name="BentoML",
    requirements=("bentoml==1.4.39", *SCIKIT_LEARN),
    command=("bentoml", "serve", "service:Bench", "--host", "127.0.0.1", "--port", "$port"),
    path="/predict",
    body=_body,
    read=lambda content: float(json.loads(content)[0][1]),
    files={"service.py": _SERVICE},
    variables={"BENTOML_DO_NOT_TRACK": "True"},
)
