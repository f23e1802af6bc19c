"""CatBoost's models as trees of ours, read from its own export to JSON.

Its own export to ONNX has float32 leaves, wraps the answer in maps, and takes no categories either. Each of its trees
asks the same question of all nodes of a level; such a tree of depth d has 2**d leaves, numbered by the answers' bits.
"""

import json
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from setpoint.facts.evidence import Floats
from setpoint.training.conversion.answer import Answer, Link
from setpoint.training.conversion.columns import Block
from setpoint.training.conversion.graph import Graph
from setpoint.training.conversion.not_convertible import NotConvertibleError
from setpoint.training.conversion.trees import ensemble, vector_ensemble
from setpoint.training.trees import Tree, float32_threshold

_MOST_LEAVES = 5_000_000
_LINKS: dict[str, Link] = {
    "Logloss": "logit",
    "CrossEntropy": "logit",
    "MultiClass": "softmax",
    "RMSE": "value",
    "MAE": "value",
    "Huber": "value",
    "Quantile": "value",
    "MAPE": "value",
    "LogLinQuantile": "value",
    "Lq": "value",
    "Expectile": "value",
    "Poisson": "log",
    "Tweedie": "log",
}


def catboost_boosting(estimator: Any, block: Block, graph: Graph) -> Answer:
    """Return what a CatBoost classifier or regressor answers.

    Raises:
        NotConvertibleError: Its loss is not known, its trees are not symmetric, or it splits categories itself.
    """
    loss = str(estimator.get_all_params()["loss_function"]).partition(":")[0]
    model = _exported(estimator)
    if loss not in _LINKS or "oblivious_trees" not in model:
        kind = "symmetric" if "oblivious_trees" in model else "asymmetric"
        msg = f"{type(estimator).__name__} has the loss {loss} and {kind} trees"
        raise NotConvertibleError(msg)
    scale, base = model["scale_and_bias"]
    width = len(base)
    listed = model["oblivious_trees"]
    if sum(len(tree["leaf_values"]) for tree in listed) > _MOST_LEAVES:
        msg = f"{type(estimator).__name__} has more than {_MOST_LEAVES} leaves"
        raise NotConvertibleError(msg)
    features = model["features_info"].get("float_features", [])
    missing_left = [one["nan_value_treatment"] != "AsTrue" for one in features]
    places = [one["flat_feature_index"] for one in features]
    trees = [_grown(tree["splits"] or [], places, missing_left) for tree in listed]
    leaves = [np.array(tree["leaf_values"], np.float64) * scale for tree in listed]
    if width == 1:
        whole = [_with_leaves(tree, own) for tree, own in zip(trees, leaves, strict=True)]
        total = ensemble(graph, block.columns, whole, 1)
    else:
        tables = [own.reshape(-1, width) for own in leaves]
        whole = [
            _with_leaves(tree, np.arange(float(len(own))))
            for tree, own in zip(trees, tables, strict=True)
        ]
        total = vector_ensemble(graph, block.columns, whole, tables)
    return Answer(graph.add("Add", total, graph.constant([base])), width, _LINKS[loss])


def _exported(estimator: Any) -> Mapping[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.json"
        estimator.save_model(str(path), format="json")
        model: Mapping[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return model


def _grown(splits: list[Mapping[str, Any]], places: list[int], missing_left: list[bool]) -> Tree:
    """Return a whole tree of which each level asks one question, the last one first; its leaves are empty."""
    features, thresholds, missing = [], [], []
    for level, split in enumerate(reversed(splits)):
        if split["split_type"] != "FloatFeature":
            msg = f"CatBoost splits categories itself ({split['split_type']})"
            raise NotConvertibleError(msg)
        number = int(split["float_feature_index"])
        features += [places[number]] * 2**level
        thresholds += [float(split["border"])] * 2**level
        missing += [missing_left[number]] * 2**level
    inner, leaves = len(features), 2 ** len(splits)
    blank = [0] * leaves
    children = 2 * np.arange(inner, dtype=np.int64)
    none = np.full(leaves, -1, np.int64)
    return Tree(
        feature=np.array([*features, *blank], np.int64),
        threshold=float32_threshold(np.array([*thresholds, *blank], np.float64)),
        left=np.concatenate([children + 1, none]),
        right=np.concatenate([children + 2, none]),
        missing_left=np.array([*missing, *blank], np.bool_),
        value=np.zeros(inner + leaves),
    )


def _with_leaves(tree: Tree, leaves: Floats) -> Tree:
    """Return the tree with its leaves' values, from the left to the right."""
    inner = len(tree.value) - len(leaves)
    return replace(tree, value=np.concatenate([np.zeros(inner), leaves]))
