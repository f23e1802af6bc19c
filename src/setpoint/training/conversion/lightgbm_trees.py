"""LightGBM's models as trees of ours. They compare doubles and sum doubles, and so does the ensemble made of them."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from setpoint.training.conversion.answer import Answer, Link
from setpoint.training.conversion.columns import Block
from setpoint.training.conversion.graph import Graph
from setpoint.training.conversion.not_convertible import NotConvertibleError
from setpoint.training.conversion.trees import ensemble
from setpoint.training.trees import Tree

_LINKS: dict[str, Link] = {
    "binary": "logit",
    "multiclass": "softmax",
    "multiclassova": "each",
    "regression": "value",
    "regression_l1": "value",
    "huber": "value",
    "fair": "value",
    "quantile": "value",
    "mape": "value",
    "poisson": "log",
    "gamma": "log",
    "tweedie": "log",
}


def lightgbm_boosting(estimator: Any, block: Block, graph: Graph) -> Answer:
    """Return what a LightGBM classifier or regressor answers.

    Raises:
        NotConvertibleError: Its objective is not known, or its leaves are linear models.
    """
    model = estimator.booster_.dump_model()
    objective, *options = str(model.get("objective", "")).split()
    settings = dict(option.split(":") for option in options if ":" in option)
    if objective not in _LINKS or "sqrt" in options:
        msg = f"{type(estimator).__name__} has the objective {model.get('objective')}"
        raise NotConvertibleError(msg)
    width = int(model["num_tree_per_iteration"])
    trees = [
        _tree(one["tree_structure"], number % width)
        for number, one in enumerate(model["tree_info"])
    ]
    tensor = ensemble(graph, block.columns, trees, width)
    if model.get("average_output"):
        tensor = graph.add("Div", tensor, graph.constant(float(len(trees) // width)))
    scale = float(settings.get("sigmoid", 1))
    if _LINKS[objective] == "each":
        tensor = graph.add("Mul", tensor, graph.constant(scale))
    return Answer(tensor, width, _LINKS[objective], scale)


class _Flat:
    """The nodes of a nested tree, one after the other."""

    def __init__(self) -> None:
        self.rows: list[list[float]] = []
        self.members: dict[int, frozenset[float]] = {}

    def add(self, node: Mapping[str, Any]) -> int:
        """Add a node with all that are below it, and return its number."""
        number = len(self.rows)
        if "leaf_value" in node:
            if node.get("leaf_coeff"):
                msg = "LightGBM's leaves are linear models"
                raise NotConvertibleError(msg)
            self.rows.append([0, 0, -1, -1, 0, node["leaf_value"]])
            return number
        threshold, missing_left = 0.0, False
        if node["decision_type"] == "==":
            listed = str(node["threshold"]).split("||")
            self.members[number] = frozenset(float(code) for code in listed)
        else:
            threshold = float(node["threshold"])
            missing_left = _missing_left(node, threshold)
        self.rows.append([node["split_feature"], threshold, 0, 0, missing_left, 0])
        self.rows[number][2] = self.add(node["left_child"])
        self.rows[number][3] = self.add(node["right_child"])
        return number


def _missing_left(node: Mapping[str, Any], threshold: float) -> bool:
    if node["missing_type"] == "Zero":
        msg = "LightGBM takes 0 for missing"
        raise NotConvertibleError(msg)
    if node["missing_type"] == "None":  # there was none to learn from: it is taken for 0
        return threshold >= 0
    return bool(node["default_left"])


def _tree(root: Mapping[str, Any], target: int) -> Tree:
    flat = _Flat()
    flat.add(root)
    feature, threshold, left, right, missing, value = np.array(flat.rows, np.float64).T
    return Tree(
        feature=feature.astype(np.int64),
        threshold=threshold,
        left=left.astype(np.int64),
        right=right.astype(np.int64),
        missing_left=missing.astype(np.bool_),
        value=value,
        target=target,
        members=flat.members,
    )
