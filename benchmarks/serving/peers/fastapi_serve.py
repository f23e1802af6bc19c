"""FastAPI as blog posts write it: pydantic, a data frame of one row, predict."""

import json

from benchmarks.serving import rows
from benchmarks.serving.peers.peer import SCIKIT_LEARN, Peer

_SERVICE = """\
import pickle
import pandas as pd
from fastapi import FastAPI
from pydantic import create_model

with open("named_model.pkl", "rb") as file:
    model = pickle.load(file)
Row = create_model("Row", **{f"f{place:02d}": (float, ...) for place in range(30)})
app = FastAPI()

@app.post("/predict")
def predict(row: Row):
    frame = pd.DataFrame([row.model_dump()])
    return {"probability": float(model.predict_proba(frame)[0, 1])}
"""

FASTAPI = Peer(
    name="FastAPI",
    requirements=("fastapi==0.163.2", "uvicorn[standard]==0.54.0", *SCIKIT_LEARN),
    command=(
        *("uvicorn", "service:app", "--host", "127.0.0.1", "--port", "$port"),
        *("--workers", "1", "--log-level", "warning", "--no-access-log"),
    ),
    path="/predict",
    body=rows.flat,
    read=lambda content: float(json.loads(content)["probability"]),
    files={"service.py": _SERVICE},
)
