"""Overlays: what an environment says otherwise, such as `configs/prod.yaml` over the contract.

Mappings are merged key by key, everything else replaces what stood there, and a key without a value takes the
contract's away. An overlay may use a few names that other people's configurations use; they are put under ours.
"""

from setpoint.contract.document import Entry, Node
from setpoint.contract.origin import Path, path_text
from setpoint.errors import Problem

ALIASES: dict[tuple[str, ...], tuple[str, ...]] = {  # theirs: ours; longer paths come first
    ("model", "hyperparameters"): ("train", "params"),
    ("model", "params"): ("train", "params"),
    ("model", "estimator"): ("train", "estimator"),
    ("data", "training_version"): ("data", "version"),
    ("data", "validation_split"): ("train", "split", "validation"),
    ("data", "test_split"): ("train", "split", "test"),
    ("data", "path"): ("data", "source"),
    ("train", "hyperparameters"): ("train", "params"),
    ("training", "hyperparameters"): ("train", "params"),
    ("serving", "replica_count"): ("serve", "replicas"),
    ("serve", "replica_count"): ("serve", "replicas"),
    ("serving",): ("serve",),
    ("training",): ("train",),
    ("monitoring",): ("monitor",),
    ("retraining",): ("retrain",),
}
"""Keys of other people's configurations that an overlay may use, and the keys of ours that they set."""

_VERBATIM: Path = ("train", "params")  # below it a null is a value, not an absence


def overlaid(base: Node, over: Node, problems: list[Problem]) -> Node:
    """Return the contract's tree with an overlay's put over it.

    Args:
        base: Root of the contract; it is not changed.
        over: Root of the overlay; one without a value changes nothing.
        problems: What is wrong with the overlay is added here, with its own file and line.
    """
    if over.value is None:
        return base
    if not isinstance(over.value, dict):
        problems.append(_problem("is not a mapping of keys to values", over, found=over.said))
        return base
    return _merged(base, _with_our_names(over, problems), ())


def _merged(base: Node, over: Node, path: Path) -> Node:
    if not isinstance(base.value, dict) or not isinstance(over.value, dict):
        return over
    merged = dict(base.value)
    for key, entry in over.value.items():
        if entry.node.value is None and path != _VERBATIM:
            merged.pop(key, None)
        elif key in merged:
            merged[key] = Entry(entry.place, _merged(merged[key].node, entry.node, (*path, key)))
        else:
            merged[key] = entry
    return Node(merged, base.place)


def _with_our_names(over: Node, problems: list[Problem]) -> Node:
    root = _copied(over)
    for theirs, ours in ALIASES.items():
        entry = _taken(root, theirs)
        if entry is None:
            continue
        clash = _put(root, ours, entry)
        if clash is not None:
            message = f"says the same as {path_text(ours)} in line {clash.place.line}"
            problems.append(_problem(message, entry, found=path_text(theirs)))
    return root


def _copied(node: Node) -> Node:
    if isinstance(node.value, dict):
        copies = {key: Entry(e.place, _copied(e.node)) for key, e in node.value.items()}
        return Node(copies, node.place)
    return node


def _taken(root: Node, path: tuple[str, ...]) -> Entry | None:
    """Remove a path from the tree and return it, with parents that it leaves empty."""
    if not isinstance(root.value, dict) or path[0] not in root.value:
        return None
    if len(path) == 1:
        return root.value.pop(path[0])
    child = root.value[path[0]].node
    entry = _taken(child, path[1:])
    if entry is not None and child.value == {}:
        del root.value[path[0]]
    return entry


def _put(root: Node, path: tuple[str, ...], entry: Entry) -> Entry | None:
    """Put an entry under a path, merging mappings; return the entry that is already there, if any."""
    if not isinstance(root.value, dict):
        return entry
    here = root.value.get(path[0])
    if len(path) > 1:
        if here is None:
            here = root.value[path[0]] = Entry(entry.place, Node({}, entry.node.place))
        return _put(here.node, path[1:], entry)
    if here is None:
        root.value[path[0]] = entry
        return None
    if not isinstance(here.node.value, dict) or not isinstance(entry.node.value, dict):
        return here
    clashes = (_put(here.node, (key,), child) for key, child in entry.node.value.items())
    return next((clash for clash in list(clashes) if clash is not None), None)


def _problem(message: str, at: Node | Entry, *, found: str) -> Problem:
    return Problem(message, at.place.file, at.place.line, at.place.column, "", found)
