"""The model as the floor and the peers serve it: the same fitted estimator, on rows as arrays."""

from pathlib import Path
from typing import Any

from skl2onnx import to_onnx
from skl2onnx.common.data_types import FloatTensorType
from sklearn.pipeline import Pipeline, make_pipeline

from benchmarks.serving.bundles import Trained
from benchmarks.serving.rows import COLUMNS


def plain_estimator(trained: Trained) -> Any:
    """Return the estimator of a pipeline with its scaling, without what picks columns and fills missing values.

    Rows are whole here, so that it answers the same, and sooner.
    """
    prepare, estimator = trained.pipeline
    (_, numbers, _), *_ = prepare.transformers_
    scale = [numbers["scale"]] if isinstance(numbers, Pipeline) else []
    return make_pipeline(*scale, estimator)


def write_floor_model(trained: Trained, path: Path) -> Path:
    """Write the plain estimator as ONNX with one input of rows, and return the path."""
    types = [("row", FloatTensorType([None, len(COLUMNS)]))]
    model = to_onnx(plain_estimator(trained), initial_types=types, options={"zipmap": False})
    path.write_bytes(model.SerializeToString())
    return path
