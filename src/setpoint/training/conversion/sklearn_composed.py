"""scikit-learn's estimators that are made of others: votes, stacks, and regressions of a changed target."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from setpoint.training.conversion.answer import (
    Answer,
    Answering,
    decision,
    probabilities,
    second_share,
    values,
)
from setpoint.training.conversion.columns import Block, Column
from setpoint.training.conversion.graph import Graph
from setpoint.training.conversion.matrix import columns_of
from setpoint.training.conversion.not_convertible import NotConvertibleError

_TWO = 2
_INVERSES: Mapping[Callable[..., Any], tuple[str, str]] = {
    np.exp: ("Exp", ""),
    np.expm1: ("Exp", "Sub"),
}


def vote(estimator: Any, block: Block, graph: Graph, answering: Answering) -> Answer:
    """Return the weighted average of several estimators' answers.

    Raises:
        NotConvertibleError: They count votes, or one of them has no ONNX form.
    """
    classes = len(getattr(estimator, "classes_", ()))
    if classes and estimator.voting != "soft":
        msg = "a VotingClassifier counts votes"
        raise NotConvertibleError(msg)
    if len(estimator.estimators_) == 1:
        return answering(estimator.estimators_[0], block, graph)
    weights = estimator._weights_not_none  # noqa: SLF001  those of estimators that were not dropped
    shares = np.ones(len(estimator.estimators_)) if weights is None else np.asarray(weights, float)
    total = ""
    for one, share in zip(estimator.estimators_, shares, strict=True):
        answer = answering(one, block, graph)
        tensor = probabilities(graph, answer) if classes else values(graph, answer)
        part = graph.add("Mul", tensor, graph.constant(float(share)))
        total = graph.add("Add", total, part) if total else part
    mean = graph.add("Div", total, graph.constant(float(shares.sum())))
    return Answer(mean, classes or 1, "probabilities" if classes else "value")


def stack(estimator: Any, block: Block, graph: Graph, answering: Answering) -> Answer:
    """Return what the last estimator makes of the others' answers.

    Raises:
        NotConvertibleError: One of them has no ONNX form.
    """
    classes = len(getattr(estimator, "classes_", ()))
    columns: list[Column] = []
    for one, method in zip(estimator.estimators_, estimator.stack_method_, strict=True):
        answer = answering(one, block, graph)
        if method == "decision_function":
            tensor, width = decision(graph, answer), 1 if classes <= _TWO else classes
        elif method == "predict_proba":
            binary = classes == _TWO
            tensor = second_share(graph, answer) if binary else probabilities(graph, answer)
            width = 1 if binary else classes
        elif not classes:
            tensor, width = values(graph, answer), 1
        else:
            msg = f"{type(estimator).__name__} stacks classes"
            raise NotConvertibleError(msg)
        columns += columns_of(graph, tensor, width)
    if estimator.passthrough:
        columns += block.columns
    return answering(estimator.final_estimator_, Block(tuple(columns)), graph)


def changed_target(estimator: Any, block: Block, graph: Graph, answering: Answering) -> Answer:
    """Return a regression's answer after the inverse of what its target was changed by.

    Raises:
        NotConvertibleError: The inverse is not known.
    """
    if estimator.transformer is not None or estimator.inverse_func not in _INVERSES:
        msg = f"{type(estimator).__name__} changes its target by a function that is not known"
        raise NotConvertibleError(msg)
    tensor = values(graph, answering(estimator.regressor_, block, graph))
    first, second = _INVERSES[estimator.inverse_func]
    tensor = graph.add(first, tensor)
    return Answer(graph.add(second, tensor, graph.constant(1.0)) if second else tensor, 1, "value")
