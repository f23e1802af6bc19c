"""LitServe: one worker, batches of up to 64 rows within 2 ms."""

import json

from benchmarks.serving import rows
from benchmarks.serving.peers.peer import SCIKIT_LEARN, Peer

_SERVICE = """\
import pickle
import sys
import litserve
import numpy as np

class Bench(litserve.LitAPI):
    def setup(self, device):
        with open("model.pkl", "rb") as file:
            self.model = pickle.load(file)

    def decode_request(self, request):
        return np.asarray(request["row"])

    def predict(self, batch):
        return self.model.predict_proba(batch)

    def encode_response(self, output):
        return {"probability": float(output[1])}

if __name__ == "__main__":
    api = Bench(max_batch_size=64, batch_timeout=0.002)
    server = litserve.LitServer(api, accelerator="cpu", workers_per_device=1, timeout=30)
    server.run(
        host="127.0.0.1", port=int(sys.argv[1]), num_api_servers=1,
        generate_client_file=False, log_level="warning",
    )
"""

LITSERVE = Peer(
    name="LitServe",
    requirements=("litserve==0.2.19", *SCIKIT_LEARN),
    command=("python", "service.py", "$port"),
    path="/predict",
    body=rows.listed,
    read=lambda content: float(json.loads(content)["probability"]),
    files={"service.py": _SERVICE},
)
