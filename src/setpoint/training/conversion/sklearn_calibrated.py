"""scikit-learn's calibrated classifiers: each fold's classifier, its calibrators, and their average."""

from typing import Any

import numpy as np

from setpoint.training.conversion.answer import (
    Answer,
    Answering,
    brought_to_one,
    decision,
    probabilities,
    second_share,
    softmax,
)
from setpoint.training.conversion.columns import Block
from setpoint.training.conversion.graph import Graph
from setpoint.training.conversion.matrix import picked
from setpoint.training.conversion.not_convertible import NotConvertibleError

_TWO = 2


def calibrated(estimator: Any, block: Block, graph: Graph, answering: Answering) -> Answer:
    """Return what a `CalibratedClassifierCV` answers.

    Args:
        estimator: It.
        block: Its columns.
        graph: Takes the nodes.
        answering: Returns the answer of the classifiers in it.

    Raises:
        NotConvertibleError: One of them, or its way of calibrating, has no ONNX form.
    """
    classes = len(estimator.classes_)
    folds = []
    for fold in estimator.calibrated_classifiers_:
        if len(fold.estimator.classes_) != classes:
            msg = "a fold of the calibrated classifier lacks a class"
            raise NotConvertibleError(msg)
        answer = answering(fold.estimator, block, graph)
        scores = _scores(graph, fold.estimator, answer)
        folds.append(_calibrated(fold, scores, classes, graph))
    total = folds[0]
    for one in folds[1:]:
        total = graph.add("Add", total, one)
    mean = graph.add("Div", total, graph.constant(float(len(folds)))) if folds[1:] else total
    # Of two classes the second one's share is kept until the end.
    return Answer(mean, 1, "share") if classes == _TWO else Answer(mean, classes, "probabilities")


def _scores(graph: Graph, estimator: Any, answer: Answer) -> str:
    """Return what the calibrators take: the decision function where there is one, else probabilities."""
    if hasattr(estimator, "decision_function"):
        return decision(graph, answer)
    if len(estimator.classes_) == _TWO:
        return second_share(graph, answer)
    return probabilities(graph, answer)


def _calibrated(fold: Any, scores: str, classes: int, graph: Graph) -> str:
    """Return the second class's probability, or those of all classes where there are more."""
    if fold.method == "temperature":
        return _temperature(fold, scores, classes, graph)
    made = _sigmoid if fold.method == "sigmoid" else _isotonic
    if classes == _TWO:
        return made(fold.calibrators[0], scores, graph)
    each = [
        made(calibrator, picked(graph, scores, [at], classes), graph)
        for at, calibrator in enumerate(fold.calibrators)
    ]
    return brought_to_one(graph, graph.add("Concat", *each, axis=1))


def _temperature(fold: Any, scores: str, classes: int, graph: Graph) -> str:
    if not hasattr(fold.estimator, "decision_function"):
        msg = "temperature scaling of probabilities is not known"
        raise NotConvertibleError(msg)
    beta = float(fold.calibrators[0].beta_)
    if classes == _TWO:  # a score and its negative, twice as far from each other as log-odds
        return graph.add("Sigmoid", graph.add("Mul", scores, graph.constant(2 * beta)))
    return softmax(graph, graph.add("Mul", scores, graph.constant(beta)), classes)


def _sigmoid(calibrator: Any, score: str, graph: Graph) -> str:
    sloped = graph.add("Mul", score, graph.constant(-float(calibrator.a_)))
    return graph.add("Sigmoid", graph.add("Sub", sloped, graph.constant(float(calibrator.b_))))


def _isotonic(calibrator: Any, score: str, graph: Graph) -> str:
    """Return a line through the calibrator's points: what each stretch adds, as far as the score has come in it."""
    if calibrator.out_of_bounds != "clip":
        msg = "an isotonic calibrator does not clip"
        raise NotConvertibleError(msg)
    at = np.asarray(calibrator.X_thresholds_, np.float64)
    value = np.asarray(calibrator.y_thresholds_, np.float64)
    widths = np.diff(at)
    slopes = np.diff(value) / widths
    come = graph.add("Sub", score, graph.constant([at[:-1]]))
    inside = graph.add("Max", come, graph.constant(0.0))
    inside = graph.add("Min", inside, graph.constant([widths]))
    return graph.add("Gemm", inside, graph.constant(slopes[:, None]), graph.constant([value[0]]))
