"""Opening ONNX models."""

from typing import Any

import onnxruntime


def open_session(data: bytes) -> Any:
    """Return an ONNX session that answers in the calling thread."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = (
        4  # errors come as exceptions; a part that does not convert is no news
    )
    return onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
