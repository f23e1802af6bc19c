"""The model as the floor serves it: the same fitted estimator, converted to one input of whole rows."""

from pathlib import Path

from skl2onnx import to_onnx
from skl2onnx.common.data_types import FloatTensorType
from sklearn.pipeline import Pipeline, make_pipeline

from benchmarks.serving.bundles import Trained
from benchmarks.serving.rows import COLUMNS


def write_floor_model(trained: Trained, path: Path) -> Path:
    """Write the estimator of a pipeline, without what fills missing values, and return the path.

    The floor's rows are whole, so that it answers the same.
    """
    prepare, estimator = trained.pipeline
    (_, numbers, _), *_ = prepare.transformers_
    scale = [numbers["scale"]] if isinstance(numbers, Pipeline) else []
    types = [("row", FloatTensorType([None, len(COLUMNS)]))]
    model = to_onnx(
        make_pipeline(*scale, estimator), initial_types=types, options={"zipmap": False}
    )
    path.write_bytes(model.SerializeToString())
    return path
