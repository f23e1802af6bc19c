"""scikit-learn's trees, forests and gradient boosting as trees of ours."""

from typing import Any

import numpy as np
from sklearn.dummy import DummyClassifier, DummyRegressor

from setpoint.facts.evidence import Floats
from setpoint.training.conversion.answer import Answer
from setpoint.training.conversion.columns import Block
from setpoint.training.conversion.graph import Graph
from setpoint.training.conversion.not_convertible import NotConvertibleError
from setpoint.training.conversion.trees import ensemble, vector_ensemble
from setpoint.training.trees import Tree, float32_threshold

_TWO = 2


def forest(estimator: Any, block: Block, graph: Graph) -> Answer:
    """Return what a tree or a forest answers: the average over its trees.

    Raises:
        NotConvertibleError: It has several targets.
    """
    members = getattr(estimator, "estimators_", [estimator])
    if estimator.n_outputs_ != 1:
        msg = f"{type(estimator).__name__} has {estimator.n_outputs_} targets"
        raise NotConvertibleError(msg)
    classes = int(getattr(estimator, "n_classes_", 1))
    if classes <= _TWO:
        # Of two classes, the second one's share is enough.
        trees = [tree_of(one.tree_, one.tree_.value[:, 0, classes - 1]) for one in members]
        tensor = ensemble(graph, block.columns, trees, 1, average=True)
        return Answer(tensor, 1, "share" if classes == _TWO else "value")
    trees, leaves = [], []
    for one in members:
        at = np.flatnonzero(one.tree_.children_left < 0)
        number = np.zeros(one.tree_.node_count)
        number[at] = np.arange(len(at))
        trees.append(tree_of(one.tree_, number))
        leaves.append(one.tree_.value[at, 0, :classes])
    total = vector_ensemble(graph, block.columns, trees, leaves)
    tensor = graph.add("Div", total, graph.constant(float(len(members))))
    return Answer(tensor, classes, "probabilities")


def boosting(estimator: Any, block: Block, graph: Graph) -> Answer:
    """Return what gradient boosting answers.

    Raises:
        NotConvertibleError: It starts from another estimator, or its loss is not known.
    """
    start = estimator.init_
    if not (isinstance(start, DummyClassifier | DummyRegressor) or start == "zero"):
        msg = f"{type(estimator).__name__} starts from another estimator"
        raise NotConvertibleError(msg)
    blank = np.zeros((1, estimator.n_features_in_))
    base = estimator._raw_predict_init(blank)[0]  # noqa: SLF001  no public name says it
    trees = []
    for stage, row in enumerate(estimator.estimators_):
        for target, one in enumerate(row):
            value = estimator.learning_rate * one.tree_.value[:, 0, 0]
            trees.append(tree_of(one.tree_, value if stage else base[target] + value, target))
    width = estimator.estimators_.shape[1]
    tensor = ensemble(graph, block.columns, trees, width)
    if not hasattr(estimator, "classes_"):
        return Answer(tensor, 1, "value")
    if width > 1:
        return Answer(tensor, width, "softmax")
    scales = {"log_loss": 1.0, "exponential": 2.0}
    return Answer(tensor, 1, "logit", scales[estimator.loss])


def tree_of(tree: Any, value: Floats, target: int = 0) -> Tree:
    """Return a fitted `tree_` as a tree of ours.

    Args:
        tree: The tree.
        value: What each node would add as a leaf, shape (nodes,).
        target: The sum it is added to.
    """
    missing = getattr(tree, "missing_go_to_left", np.zeros(tree.node_count))
    return Tree(
        feature=np.maximum(tree.feature, 0),
        threshold=float32_threshold(tree.threshold),
        left=np.asarray(tree.children_left, np.int64),
        right=np.asarray(tree.children_right, np.int64),
        missing_left=np.asarray(missing, np.bool_),
        value=np.asarray(value, np.float64),
        target=target,
    )
