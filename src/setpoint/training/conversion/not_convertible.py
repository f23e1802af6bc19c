"""Why a model stays native."""


class NotConvertibleError(Exception):
    """The model, or a part of it, has no ONNX form that answers the same; the message says why."""
