"""A fitted estimator as a serialised ONNX model; nobody has compared the two yet."""

from setpoint.training.conversion.answer import probabilities, values
from setpoint.training.conversion.columns import first_block
from setpoint.training.conversion.graph import Graph
from setpoint.training.conversion.layout import PROBABILITIES, VARIABLE, Layout
from setpoint.training.conversion.models import answer_of
from setpoint.training.conversion.not_convertible import NotConvertibleError
from setpoint.training.model import NativeModel


def translated(model: NativeModel) -> bytes:
    """Return the ONNX model of a native one.

    Its inputs are those of `layout`; its one output is `probabilities` of shape (n, classes) in the order of the
    form's classes, or `variable` of shape (n, 1).

    Raises:
        NotConvertibleError: It has no ONNX form.
    """
    form = model.form
    if form.task != "regression" and not hasattr(model.estimator, "predict_proba"):
        msg = f"{type(model.estimator).__name__} gives no probabilities"
        raise NotConvertibleError(msg)
    layout = Layout(form.features)
    graph = Graph(len(layout.numbers), len(layout.texts))
    names = [feature.name for feature in form.features]
    block = first_block(layout.numbers, layout.texts, names)
    answer = answer_of(model.estimator, block, graph)
    if form.task == "regression":
        return graph.finished(values(graph, answer), VARIABLE, 1)
    tensor = probabilities(graph, answer, model.class_order())
    return graph.finished(tensor, PROBABILITIES, len(form.classes))
