"""Bundles as users get them: a contract, a generated table, `setpoint run`, and the deployment document."""

import json
import pickle
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.serving.rows import COLUMNS
from setpoint.adapters.file_deployments import FileDeployments

ESTIMATORS = {
    "forest": (
        "sklearn.ensemble.RandomForestClassifier",
        "{n_estimators: 100, max_depth: 8, n_jobs: 1}",
    ),
    "logistic": ("sklearn.linear_model.LogisticRegression", "{max_iter: 1000}"),
}
"""Estimator and parameters of each model that is served."""
ROW = tuple(round(float(value), 4) for value in np.random.default_rng(11).normal(size=30))
"""The row that is posted."""
_SEED = 7
_ROWS = 6000
_CONTRACT = """\
model: {{name: bench, version: "1.0", task: binary, owner: bench@example.com}}
data:
  source: rows.parquet
  target: answer
  positive: "yes"
  columns:
{columns}
train: {{estimator: {estimator}, params: {params}, seed: 7}}
gates: [{{metric: roc_auc, min: 0.6}}]
release: {{strategy: direct}}
serve: {{runtime: onnx}}
"""


@dataclass(frozen=True)
class Trained:
    """A project with a champion.

    Args:
        project: Its folder.
        bundle: The champion's bundle.
        pipeline: The native model as it was fitted.
        probability: What it says of `ROW`: probability of the positive class.
    """

    project: Path
    bundle: Path
    pipeline: Any
    probability: float

    def deployment(self, log: str) -> Path:
        """Return the project's deployment document with another promise of the log, in a folder of its own."""
        found = FileDeployments(self.project / ".setpoint" / "deployment.json").current()
        assert found is not None
        path = self.project / f"serve-{log}" / "deployment.json"
        FileDeployments(path).publish(msgspec.structs.replace(found, log=log))
        return path


def train_bundle(folder: Path, model: str) -> Trained:
    """Write a project into `folder`, run it, and return what it released.

    Args:
        folder: Where; a folder of the model's name is made in it.
        model: `forest` or `logistic`.
    """
    project = folder / model
    project.mkdir()
    pq.write_table(_table(), project / "rows.parquet")
    estimator, params = ESTIMATORS[model]
    lines = [f"    {name}: {{type: float, min: -10, max: 10}}" for name in COLUMNS]
    text = _CONTRACT.format(columns="\n".join(lines), estimator=estimator, params=params)
    (project / "model_contract.yaml").write_text(text)
    command = [sys.executable, "-m", "setpoint", "run", "--json"]
    done = subprocess.run(command, cwd=project, check=False, capture_output=True, text=True)
    if done.returncode:
        msg = f"setpoint run ended with code {done.returncode}:\n{done.stdout}\n{done.stderr}"
        raise RuntimeError(msg)
    bundle = Path(json.loads(done.stdout)["bundle"])
    (pickled,) = (project / ".setpoint" / "jobs").glob("*/native/model.pkl")
    pipeline = pickle.loads(pickled.read_bytes())  # noqa: S301 (made a moment ago, above)
    frame = pd.DataFrame([ROW], columns=list(COLUMNS))
    probability = float(pipeline.predict_proba(frame)[0, 1])
    return Trained(project, bundle, pipeline, probability)


def _table() -> pa.Table:
    """Return the generated table: a linear rule, one product of two columns, and noise."""
    chance = np.random.default_rng(_SEED)
    values = chance.normal(size=(_ROWS, len(COLUMNS)))
    score = values @ chance.normal(size=len(COLUMNS)) + 0.5 * values[:, 0] * values[:, 1]
    answers = np.where(score + 2 * chance.normal(size=_ROWS) > 0, "yes", "no")
    columns = dict(zip(COLUMNS, values.T, strict=True))
    return pa.table({**columns, "answer": answers})
