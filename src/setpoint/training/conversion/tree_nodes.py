"""The nodes and leaves of trees as `TreeEnsemble` of ai.onnx.ml 5 lists them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from onnx import numpy_helper

from setpoint.facts.evidence import Bools, Floats, Ints
from setpoint.training.conversion.tree_inputs import Rule
from setpoint.training.trees import Tree

_LEQ, _EQ, _NEQ, _MEMBER = 0, 4, 5, 6  # as the operator numbers them


class Nodes:
    """The nodes and leaves of all trees, as the operator's attributes list them."""

    def __init__(self) -> None:
        self._roots: list[int] = []
        self._count = 0
        self._leaves = 0
        self._lists: dict[str, list[Ints]] = {}
        self._splits: list[Floats] = []
        self._weights: list[Floats] = []
        self._members: list[float] = []

    def plant(self, tree: Tree, rules: Sequence[Rule]) -> None:
        """Add a tree."""
        if tree.left[0] < 0:
            tree = _with_a_split(tree)
        inner = np.flatnonzero(tree.left >= 0)
        leaves = np.flatnonzero(tree.left < 0)
        place = np.empty(len(tree.left), np.int64)
        place[inner] = self._count + np.arange(len(inner))
        place[leaves] = self._leaves + np.arange(len(leaves))
        is_leaf = tree.left < 0
        positions = np.array([rule.position for rule in rules], np.int64)
        modes = np.full(len(inner), _LEQ)
        splits = tree.threshold[inner].astype(np.float64)
        fills = np.array([rule.fill for rule in rules])[tree.feature[inner]]
        missing = np.where(np.isnan(fills), tree.missing_left[inner], fills <= splits)
        yes, no = tree.left[inner].copy(), tree.right[inner].copy()
        coded = np.array([rule.values is not None for rule in rules])[tree.feature[inner]]
        special = [at for at in range(len(inner)) if coded[at] or int(inner[at]) in tree.members]
        for at in special:
            branch = _branch(tree, int(inner[at]), rules)
            modes[at], splits[at], missing[at] = branch.mode, branch.split, branch.missing
            self._members.extend(branch.members)
            if branch.swapped:
                yes[at], no[at] = no[at], yes[at]
        self._roots.append(self._count)
        self._extend("nodes_featureids", positions[tree.feature[inner]])
        self._extend("nodes_modes", modes)
        self._extend("nodes_missing_value_tracks_true", missing)
        self._extend("nodes_truenodeids", place[yes])
        self._extend("nodes_trueleafs", is_leaf[yes])
        self._extend("nodes_falsenodeids", place[no])
        self._extend("nodes_falseleafs", is_leaf[no])
        self._extend("leaf_targetids", np.full(len(leaves), tree.target))
        self._splits.append(splits)
        self._weights.append(tree.value[leaves])
        self._count += len(inner)
        self._leaves += len(leaves)

    def attributes(self) -> dict[str, object]:
        """Return the attributes of the operator."""
        found: dict[str, object] = {
            name: np.concatenate(parts).tolist() for name, parts in self._lists.items()
        }
        modes = np.concatenate(self._lists["nodes_modes"]).astype(np.uint8)
        found |= {
            "tree_roots": self._roots,
            "nodes_modes": numpy_helper.from_array(modes),
            "nodes_splits": numpy_helper.from_array(np.concatenate(self._splits)),
            "leaf_weights": numpy_helper.from_array(np.concatenate(self._weights)),
        }
        if self._members:
            members = np.array(self._members, np.float64)
            found["membership_values"] = numpy_helper.from_array(members)
        return found

    def _extend(self, name: str, values: Ints | Bools) -> None:
        self._lists.setdefault(name, []).append(np.asarray(values, np.int64))


@dataclass(frozen=True)
class _Branch:
    """A split that is no threshold.

    Args:
        mode: How it compares.
        split: What with.
        missing: Whether a missing value makes it true.
        swapped: Whether true is to the right.
        members: The set that it looks in, and the NaN that ends it.
    """

    mode: int
    split: float
    missing: bool
    swapped: bool = False
    members: tuple[float, ...] = ()


def _branch(tree: Tree, node: int, rules: Sequence[Rule]) -> _Branch:
    rule = rules[tree.feature[node]]
    missing = bool(tree.missing_left[node])
    left = tree.members.get(node)
    if rule.values is None:  # an ordinal code of the library's own categories
        if not np.isnan(rule.fill):
            missing = rule.fill in (left or ())
        return _membership(sorted(left or ()), [], missing)
    goes_left = (
        rule.values <= tree.threshold[node] if left is None else np.isin(rule.values, sorted(left))
    )
    goes_left = np.where(np.isnan(rule.values), missing, goes_left)
    codes = np.arange(len(goes_left), dtype=np.float64)
    return _membership(codes[goes_left].tolist(), codes[~goes_left].tolist(), missing)


def _membership(left: list[float], right: list[float], missing: bool) -> _Branch:  # noqa: FBT001  a fact of the split
    """Return the split of codes, of which those not in `left` go right; `right` lists these where they are known."""
    if len(left) == 1:
        return _Branch(_EQ, left[0], missing)
    if len(right) == 1:
        return _Branch(_NEQ, right[0], missing)
    if not left:  # no code goes left
        return _Branch(_LEQ, -np.inf, missing)
    if right and len(right) < len(left):
        return _Branch(_MEMBER, 0.0, not missing, swapped=True, members=(*right, np.nan))
    return _Branch(_MEMBER, 0.0, missing, members=(*left, np.nan))


def _with_a_split(tree: Tree) -> Tree:
    """Return a tree of one leaf as one whose split makes no difference; the operator knows no other."""
    two = np.array([0, 0])
    return Tree(
        feature=np.concatenate([[0], two]),
        threshold=np.zeros(3),
        left=np.array([1, -1, -1]),
        right=np.array([2, -1, -1]),
        missing_left=np.zeros(3, np.bool_),
        value=np.concatenate([[0.0], tree.value[:1], tree.value[:1]]),
        target=tree.target,
    )
