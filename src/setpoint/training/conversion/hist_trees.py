"""scikit-learn's histogram gradient boosting as trees of ours, native categories and missing values too.

Its trees compare doubles, and skl2onnx converts native categories silently wrong, so that its conversion is ours.
"""

from typing import Any

import numpy as np
import pandas as pd

from setpoint.facts.evidence import Bools
from setpoint.training.conversion.answer import Answer, Link
from setpoint.training.conversion.columns import Block, joined
from setpoint.training.conversion.encoders import encoded
from setpoint.training.conversion.graph import Graph
from setpoint.training.conversion.not_convertible import NotConvertibleError
from setpoint.training.conversion.trees import ensemble
from setpoint.training.trees import Tree

_BITS = 32  # of each word of a set of categories
_LINKS: dict[str, Link] = {
    "HalfBinomialLoss": "logit",
    "HalfMultinomialLoss": "softmax",
    "HalfSquaredError": "value",
    "AbsoluteError": "value",
    "PinballLoss": "value",
    "HalfPoissonLoss": "log",
    "HalfGammaLoss": "log",
}


def hist_boosting(estimator: Any, block: Block, graph: Graph) -> Answer:
    """Return what histogram gradient boosting answers.

    Raises:
        NotConvertibleError: Its loss is not known.
    """
    loss = type(estimator._loss).__name__  # noqa: SLF001  no public name says it
    if loss not in _LINKS:
        msg = f"{type(estimator).__name__} has the loss {loss}"
        raise NotConvertibleError(msg)
    base = np.ravel(estimator._baseline_prediction)  # noqa: SLF001  likewise
    known = _known_categories(estimator)
    trees = []
    for iteration, row in enumerate(estimator._predictors):  # noqa: SLF001  likewise
        for target, predictor in enumerate(row):
            tree = _tree(predictor, target, known, 0.0 if iteration else float(base[target]))
            trees.append(tree)
    tensor = ensemble(graph, _arranged(estimator, block, graph).columns, trees, len(base))
    return Answer(tensor, len(base), _LINKS[loss])


def _arranged(estimator: Any, block: Block, graph: Graph) -> Block:
    """Return the columns as the trees number them: categories first, as codes."""
    if estimator.is_categorical_ is None:
        return block
    encoder = estimator._preprocessor.named_transformers_["encoder"]  # noqa: SLF001  it has no public name
    categories = block.chosen(estimator.is_categorical_.tolist())
    others = block.chosen((~estimator.is_categorical_).tolist())
    return joined([encoded(encoder, categories, graph), others])


def _known_categories(estimator: Any) -> list[int]:
    """Return how many codes each category column has, in the order of the trees' columns."""
    if estimator.is_categorical_ is None:
        return []
    encoder = estimator._preprocessor.named_transformers_["encoder"]  # noqa: SLF001  it has no public name
    return [sum(not pd.isna(value) for value in known) for known in encoder.categories_]


def _tree(predictor: Any, target: int, known: list[int], base: float) -> Tree:
    nodes = predictor.nodes
    leaf = nodes["is_leaf"].astype(np.bool_)
    left = np.where(leaf, -1, nodes["left"].astype(np.int64))
    right = np.where(leaf, -1, nodes["right"].astype(np.int64))
    missing = nodes["missing_go_to_left"].astype(np.bool_)
    feature = nodes["feature_idx"].astype(np.int64)
    members = {}
    for node in np.flatnonzero(nodes["is_categorical"].astype(np.bool_) & ~leaf).tolist():
        goes_left = _bits(predictor.raw_left_cat_bitsets[nodes["bitset_idx"][node]])
        codes = np.arange(known[feature[node]])
        inside = goes_left[: len(codes)]
        if np.count_nonzero(inside) * 2 > len(codes):  # the shorter list is the faster one
            left[node], right[node] = right[node], left[node]
            missing[node] = not missing[node]
            inside = ~inside
        members[node] = frozenset(codes[inside].astype(np.float64).tolist())
    return Tree(
        feature=feature,
        threshold=nodes["num_threshold"].astype(np.float64),
        left=left,
        right=right,
        missing_left=missing,
        value=base + nodes["value"].astype(np.float64),
        target=target,
        members=members,
    )


def _bits(words: Any) -> Bools:
    """Return for each category whether it is in a set, shape (256,)."""
    places = np.arange(_BITS, dtype=np.uint32)
    found: Bools = ((words[:, None] >> places) & 1).astype(np.bool_).ravel()
    return found
