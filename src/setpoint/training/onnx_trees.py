"""Trees of any library as one ONNX node, exact to the bit: thresholds and leaves stay double, and so do the sums.

Inputs are never prepared for trees. What stands for a missing value decides which way it goes at each split; an encoded
category becomes its code, and a split on one of its columns the set of codes that go left.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from onnx import TensorProto, numpy_helper

from setpoint.facts.evidence import Bools, Floats, Ints
from setpoint.training.onnx_columns import Column, Lookup, Number
from setpoint.training.onnx_graph import ML, Graph
from setpoint.training.onnx_lookups import codes_and_rows, looked_up, sources_of
from setpoint.training.onnx_matrix import columns_of, matrix, require_numbers

_LEQ, _EQ, _NEQ, _MEMBER = 0, 4, 5, 6  # as ai.onnx.ml 5 numbers them
_SUM, _AVERAGE = 1, 0


@dataclass(frozen=True)
class Tree:
    """One tree; node 0 is its root, and a node without children a leaf.

    Args:
        feature: Column that a node splits on, shape (nodes,).
        threshold: At most this goes left, shape (nodes,).
        left: Node that is next to the left, -1 for a leaf, shape (nodes,).
        right: Node that is next to the right, shape (nodes,).
        missing_left: Whether a missing value goes left, shape (nodes,).
        value: What a leaf adds, shape (nodes,).
        target: The sum that it is added to.
        members: For a node that splits categories, the codes that go left; all other numbers go right.
    """

    feature: Ints
    threshold: Floats
    left: Ints
    right: Ints
    missing_left: Bools
    value: Floats
    target: int = 0
    members: Mapping[int, frozenset[float]] = field(default_factory=dict)


def float32_threshold(threshold: Floats) -> Floats:
    """Return t such that a double is at most t just where it is at most `threshold` after rounding to float32.

    scikit-learn's trees round their input, and ours comes in double.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        below = threshold.astype(np.float32)
        below = np.where(below > threshold, np.nextafter(below, np.float32(-np.inf)), below)
        above = np.nextafter(below, np.float32(np.inf)).astype(np.float64)
        middle = below + (above - below) / 2  # exact: float32 neighbours have double middles
        to_below = middle.astype(np.float32) == below
    exact = np.where(to_below, middle, np.nextafter(middle, -np.inf))
    return np.where(np.isfinite(below) & np.isfinite(above), exact, threshold)


def ensemble(
    graph: Graph,
    columns: Sequence[Column],
    trees: Sequence[Tree],
    targets: int,
    *,
    average: bool = False,
) -> str:
    """Return a tensor of shape (n, targets): the sums of the trees' leaves, or their average over all trees.

    Raises:
        NotConvertibleError: A column is text.
    """
    tensor, rules = _inputs(graph, columns)
    nodes = _Nodes()
    for tree in trees:
        nodes.plant(tree, rules)
    return graph.add(
        "TreeEnsemble",
        tensor,
        domain=ML,
        n_targets=targets,
        aggregate_function=_AVERAGE if average else _SUM,
        post_transform=0,
        **nodes.attributes(),
    )


def vector_ensemble(
    graph: Graph, columns: Sequence[Column], trees: Sequence[Tree], leaves: Sequence[Floats]
) -> str:
    """Return a tensor of shape (n, targets): the sums of the trees' leaves, each of which has a number for each target.

    A leaf of the operator adds to one target alone. So each tree says which leaf it was, and a table what that adds.

    Args:
        graph: Takes the nodes.
        columns: The columns.
        trees: Trees whose leaves' values are 0, 1, ….
        leaves: For each tree, its leaves' numbers, shape (leaves, targets).

    Raises:
        NotConvertibleError: A column is text.
    """
    starts = np.cumsum([0, *(len(table) for table in leaves[:-1])])
    numbered = [
        replace(tree, value=tree.value + start, target=at)
        for at, (tree, start) in enumerate(zip(trees, starts.tolist(), strict=True))
    ]
    which = ensemble(graph, columns, numbered, len(numbered))
    rows = graph.add("Cast", which, to=TensorProto.INT64)
    added = graph.add("Gather", graph.constant(np.concatenate(leaves)), rows)
    return graph.add("ReduceSum", added, graph.constant([1], np.int64), keepdims=0)


@dataclass(frozen=True)
class _Rule:
    """Where a column is among the inputs of the ensemble, and what its splits mean there.

    Args:
        position: The input's column.
        fill: What stands for a missing value; NaN where it stays missing.
        values: Where the input is a code, the column's number by code.
    """

    position: int
    fill: float = np.nan
    values: Floats | None = None


def _inputs(graph: Graph, columns: Sequence[Column]) -> tuple[str, list[_Rule]]:
    whole = require_numbers(columns)
    plain = [one for one in whole if isinstance(one, Number) and not one.steps]
    stepped = [one for one in whole if isinstance(one, Number) and one.steps]
    lookups = [one for one in whole if isinstance(one, Lookup)]
    tensors = list(dict.fromkeys(one.tensor for one in plain))
    if stepped:
        made = columns_of(graph, matrix(graph, stepped), len(stepped))
        tensors.append(made[0].tensor)
        where = {id(one): new for one, new in zip(stepped, made, strict=True)}
        whole = [where.get(id(one), one) for one in whole]
    starts, width = {}, 0
    for tensor in tensors:
        starts[tensor] = width
        width += graph.widths[tensor]
    encoded, coded = _encoded(graph, lookups, width)
    tensors += encoded
    rules = [
        _Rule(starts[one.tensor] + one.position, one.fill)
        if isinstance(one, Number)
        else coded[id(one)]
        for one in whole
    ]
    return tensors[0] if len(tensors) == 1 else graph.add("Concat", *tensors, axis=1), rules


def _encoded(
    graph: Graph, lookups: Sequence[Lookup], start: int
) -> tuple[list[str], dict[int, _Rule]]:
    """Return the tensor of the looked-up columns, if there are any, and the rule of each."""
    if not lookups:
        return [], {}
    sources = sources_of(lookups)
    rules: dict[int, _Rule] = {}
    tables, others = [], []
    for at, source in enumerate(sources, start=start):
        own = [one for one in lookups if (one.tensor, one.position) == source]
        if len(own) == 1:
            tables.append(own[0].table)
            others.append(own[0].other)
            rules[id(own[0])] = _Rule(at)
            continue
        codes, rows = codes_and_rows(own)
        tables.append(codes)
        others.append(0.0)
        rules |= {id(one): _Rule(at, values=rows[:, place]) for place, one in enumerate(own)}
    return [looked_up(graph, sources, tables, others)], rules


class _Nodes:
    """The nodes and leaves of all trees, as the operator's attributes list them."""

    def __init__(self) -> None:
        self._roots: list[int] = []
        self._count = 0
        self._leaves = 0
        self._lists: dict[str, list[Ints]] = {}
        self._splits: list[Floats] = []
        self._weights: list[Floats] = []
        self._members: list[float] = []

    def plant(self, tree: Tree, rules: Sequence[_Rule]) -> None:
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


def _branch(tree: Tree, node: int, rules: Sequence[_Rule]) -> _Branch:
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
