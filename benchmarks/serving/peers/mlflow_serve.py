"""MLflow: `mlflow models serve`, one worker, `dataframe_split`."""

import json

from benchmarks.serving import rows
from benchmarks.serving.peers.peer import SCIKIT_LEARN, Peer

_SAVE = """\
import pickle
import mlflow.sklearn
with open("named_model.pkl", "rb") as file:
    model = pickle.load(file)
mlflow.sklearn.save_model(
    model, "saved", pyfunc_predict_fn="predict_proba", serialization_format="cloudpickle"
)
"""

MLFLOW = Peer(
    name="MLflow",
    requirements=("mlflow==3.17.2", *SCIKIT_LEARN),
    command=(
        *("mlflow", "models", "serve", "-m", "saved", "-h", "127.0.0.1", "-p", "$port"),
        *("-w", "1", "--env-manager", "local"),
    ),
    path="/invocations",
    body=rows.split,
    read=lambda content: float(json.loads(content)["predictions"][0][1]),
    files={"save.py": _SAVE},
    prepare=("python", "save.py"),
    variables={"GIT_PYTHON_REFRESH": "quiet"},
)
