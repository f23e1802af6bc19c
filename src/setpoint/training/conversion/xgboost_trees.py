"""XGBoost's models as trees of ours. They compare in float32, which thresholds in double can say exactly."""

import json
from collections.abc import Mapping
from typing import Any

import numpy as np

from setpoint.facts.evidence import Floats
from setpoint.training.conversion.answer import Answer, Link
from setpoint.training.conversion.columns import Block
from setpoint.training.conversion.graph import Graph
from setpoint.training.conversion.not_convertible import NotConvertibleError
from setpoint.training.conversion.trees import ensemble
from setpoint.training.trees import Tree, float32_threshold

_LINKS: dict[str, Link] = {
    "binary:logistic": "logit",
    "multi:softprob": "softmax",
    "reg:squarederror": "value",
    "reg:absoluteerror": "value",
    "reg:pseudohubererror": "value",
    "reg:quantileerror": "value",
    "count:poisson": "log",
    "reg:gamma": "log",
    "reg:tweedie": "log",
}


def xgboost_boosting(estimator: Any, block: Block, graph: Graph) -> Answer:
    """Return what an XGBoost classifier or regressor answers.

    Raises:
        NotConvertibleError: Its objective or its kind of booster is not known.
    """
    learner = json.loads(estimator.get_booster().save_raw("json"))["learner"]
    objective = learner["objective"]["name"]
    booster = learner["gradient_booster"]
    if objective not in _LINKS or booster["name"] != "gbtree":
        msg = f"{type(estimator).__name__} has the objective {objective} and the booster {booster['name']}"
        raise NotConvertibleError(msg)
    link, model = _LINKS[objective], booster["model"]
    width = max(int(learner["learner_model_param"]["num_class"]), 1)
    base = _base(learner["learner_model_param"]["base_score"], link, width)
    trees = [
        _tree(tree, target) for tree, target in zip(model["trees"], model["tree_info"], strict=True)
    ][: _trees_used(estimator, model)]
    total = ensemble(graph, block.columns, trees, width)
    return Answer(graph.add("Add", total, graph.constant([base])), width, link)


def _trees_used(estimator: Any, model: Mapping[str, Any]) -> int:
    """Return the number of trees up to the best iteration, where the fit was stopped early."""
    try:
        best = estimator.best_iteration
    except AttributeError:
        return len(model["trees"])
    return int(model["iteration_indptr"][best + 1])


def _base(text: str, link: Link, width: int) -> Floats:
    """Return what the sums start from; the model says it as an answer."""
    scores = np.array([float(one) for one in text.strip("[]").split(",")])
    if link == "logit":
        scores = -np.log(1 / scores - 1)
    elif link == "log":
        scores = np.log(scores)
    return np.broadcast_to(scores, (width,)).astype(np.float64)


def _tree(tree: Mapping[str, Any], target: int) -> Tree:
    condition = np.array(tree["split_conditions"], np.float32)
    left = np.array(tree["left_children"], np.int64)
    right = np.array(tree["right_children"], np.int64)
    missing = np.array(tree["default_left"], np.bool_)
    members = {}
    for node, start, size in zip(
        tree["categories_nodes"], tree["categories_segments"], tree["categories_sizes"], strict=True
    ):
        # The listed categories go right there, and left here.
        members[node] = frozenset(map(float, tree["categories"][start : start + size]))
        left[node], right[node] = right[node], left[node]
        missing[node] = not missing[node]
    # Below a threshold goes left there; here, at most its predecessor does.
    below = np.nextafter(condition, np.float32(-np.inf)).astype(np.float64)
    return Tree(
        feature=np.array(tree["split_indices"], np.int64),
        threshold=float32_threshold(below),
        left=left,
        right=right,
        missing_left=missing,
        value=condition.astype(np.float64),
        target=int(target),
        members=members,
    )
