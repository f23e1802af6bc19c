"""Ray Serve: one replica."""

import json

from benchmarks.serving import rows
from benchmarks.serving.peers.peer import SCIKIT_LEARN, Peer

_SERVICE = """\
import pickle
import signal
import sys
import numpy as np
import ray
from ray import serve

@serve.deployment(num_replicas=1, max_ongoing_requests=100)
class Bench:
    def __init__(self):
        with open(sys_path, "rb") as file:
            self.model = pickle.load(file)

    async def __call__(self, request):
        row = np.asarray([(await request.json())["row"]])
        return {"probability": float(self.model.predict_proba(row)[0, 1])}

sys_path = __import__("os").path.abspath("model.pkl")
ray.init(num_cpus=2, include_dashboard=False, configure_logging=False, log_to_driver=False)
serve.start(http_options={"host": "127.0.0.1", "port": int(sys.argv[1])})
serve.run(Bench.bind(), route_prefix="/")
signal.sigwait({signal.SIGTERM, signal.SIGINT})
serve.shutdown()
ray.shutdown()
"""

RAY = Peer(
    name="Ray Serve",
    requirements=("ray[serve]==2.60.0", *SCIKIT_LEARN),
    command=("python", "service.py", "$port"),
    path="/",
    body=rows.listed,
    read=lambda content: float(json.loads(content)["probability"]),
    files={"service.py": _SERVICE},
    variables={"RAY_USAGE_STATS_ENABLED": "0"},
)
