"""What a changed contract would change: each difference, and what it makes the next pass do."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from setpoint.contract.contract import Contract
from setpoint.contract.origin import Path, path_text
from setpoint.digest import canonical_json

Effect = Literal[
    "restart",
    "refit",
    "validate",
    "judge",
    "watch",
    "trigger",
    "release",
    "serve",
    "alert",
    "nothing",
]
EFFECTS: dict[Effect, str] = {  # heaviest first
    "restart": "this is another model: it starts without versions and without a champion",
    "refit": "a new candidate is fitted and judged",
    "validate": "data is validated anew; rows that fail are kept out",
    "judge": "the gates are judged anew; a fit is made only for what was never measured",
    "watch": "the next window is judged by this",
    "trigger": "triggers are weighed by this",
    "release": "nothing until the next step of a release",
    "serve": "gateways only; versions stay as they are",
    "alert": "alerts only",
    "nothing": "nothing: for people only",
}
"""What the next pass does about a difference, in words."""

_EFFECTS: dict[tuple[str, ...], Effect] = {  # the longest path that fits decides; * is any one key
    ("model",): "nothing",
    ("model", "name"): "restart",
    ("model", "task"): "restart",
    ("model", "risk"): "release",
    ("data",): "refit",
    ("data", "protected"): "judge",
    ("data", "checks"): "validate",
    ("data", "columns", "*"): "validate",
    ("data", "columns", "*", "type"): "refit",
    ("data", "columns", "*", "use"): "refit",
    ("data", "columns", "*", "min"): "refit",
    ("data", "columns", "*", "max"): "refit",
    ("data", "columns", "*", "values"): "refit",
    ("data", "columns", "*", "nulls"): "refit",
    ("data", "columns", "*", "log"): "serve",
    ("data", "columns", "*", "reason"): "nothing",
    ("data", "columns", "*", "unit"): "nothing",
    ("train",): "refit",
    ("train", "limits"): "nothing",
    ("gates",): "judge",
    ("serve",): "serve",
    ("release",): "release",
    ("monitor",): "watch",
    ("monitor", "performance", "label_delay"): "refit",
    ("retrain",): "trigger",
    ("alerts",): "alert",
}
_WORDS: dict[tuple[str, ...], str] = {  # where an effect's own words say too little
    ("train", "limits"): "nothing until the next fit",
    ("data", "version"): "the source is read anew; a new candidate is fitted if its rows changed",
    ("monitor", "performance", "label_delay"): "labels become known at another time: rows are "
    "split anew, and a new candidate is fitted and judged",
    **{
        ("data", "columns", "*", key): "data is validated anew, and a candidate is fitted: "
        "requests are refused by what its bundle says"
        for key in ("min", "max", "values", "nulls")
    },
    ("data", "columns", "*", "log"): "gateways log by it after the next pass",
    ("monitor", "window"): "windows begin anew, with a reference for this length",
    ("release", "strategy"): "nothing until the next release",
    ("serve", "runtime"): "the next version is bundled for it; versions stay as they are",
}
_LISTS_OF_ITEMS = frozenset(
    {("gates",), ("release", "guardrails"), ("retrain", "when"), ("alerts",)}
)
_AMOUNTS = frozenset(  # keys that say how much, not what of
    {
        "add",
        "after",
        "beats_champion",
        "between",
        "by",
        "confidence",
        "error_rate",
        "latency_p50",
        "latency_p95",
        "latency_p99",
        "max",
        "max_changed",
        "max_violations",
        "min",
        "not_worse_by",
        "schedule",
        "serving_skew",
        "size",
        "threshold",
        "when",
        "within",
    }
)


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that two contracts say differently.

    Args:
        path: Where, in the new contract; in the old one for what is gone.
        old: What the old contract says, as plain data; None where it says nothing.
        new: What the new contract says, as plain data; None where it says nothing.
        effect: What kind of work follows.
        words: What the next pass does about it.
    """

    path: str
    old: Any
    new: Any
    effect: Effect
    words: str

    def __str__(self) -> str:
        return f"{self.path}: {_said(self.old)} → {_said(self.new)} ({self.words})"


@dataclass(frozen=True, slots=True)
class Plan:
    """What a changed contract would change.

    Args:
        old: Digest of the old contract; empty where there is none yet.
        new: Digest of the new contract.
        differences: Each difference, in the order of the contract.
    """

    old: str
    new: str
    differences: tuple[Difference, ...]

    @property
    def is_empty(self) -> bool:
        """Whether both promise the same."""
        return not self.differences

    @property
    def effects(self) -> tuple[Effect, ...]:
        """What kinds of work follow, heaviest first, each once."""
        found = {difference.effect for difference in self.differences}
        return tuple(effect for effect in EFFECTS if effect in found)

    @property
    def plain(self) -> dict[str, Any]:
        """The plan as plain data."""
        return {
            "old": self.old,
            "new": self.new,
            "effects": list(self.effects),
            "differences": [
                {
                    "path": difference.path,
                    "old": difference.old,
                    "new": difference.new,
                    "effect": difference.effect,
                    "words": difference.words,
                }
                for difference in self.differences
            ],
        }


def plan(old: Contract | None, new: Contract) -> Plan:
    """Return what changes from one contract to another.

    Args:
        old: The contract in force; None where there is none, and everything is new.
        new: The contract that would take its place.
    """
    before = {} if old is None else old.plain
    found: list[Difference] = []
    for section in Contract.model_fields:
        sides = (before.get(section), new.plain.get(section))
        found.extend(_difference(*parts) for parts in _compared((section,), *sides))
    return Plan("" if old is None else old.digest, new.digest, tuple(found))


def _compared(path: Path, old: Any, new: Any) -> Iterator[tuple[Path, Any, Any]]:
    if old == new:
        return
    if isinstance(old, Mapping) or isinstance(new, Mapping):
        yield from _compared_keys(path, old or {}, new or {})
    elif path in _LISTS_OF_ITEMS:
        yield from _compared_items(path, old or [], new or [])
    else:
        yield path, old, new


def _compared_keys(path: Path, old: Any, new: Any) -> Iterator[tuple[Path, Any, Any]]:
    if not (isinstance(old, Mapping) and isinstance(new, Mapping)):
        yield path, old, new
        return
    for key in dict.fromkeys((*new, *old)):
        yield from _compared((*path, key), old.get(key), new.get(key))


def _compared_items(path: Path, old: list[Any], new: list[Any]) -> Iterator[tuple[Path, Any, Any]]:
    """Pair items that speak of the same thing; what has no partner came or went."""
    left = [(position, item) for position, item in enumerate(old) if item not in new]
    for position, item in enumerate(new):
        if item in old:
            continue
        partner = next((pair for pair in left if _subject(pair[1]) == _subject(item)), None)
        if partner is not None:
            left.remove(partner)
        yield (*path, position), None if partner is None else partner[1], item
    for position, item in left:
        yield (*path, position), item, None


def _subject(item: Any) -> str:
    """Return what an item of a list speaks of, without how much it asks."""
    if not isinstance(item, Mapping):
        return canonical_json(str(item).split()[0])
    bare = {key: None if key in _AMOUNTS else value for key, value in item.items()}
    for key in ("confidence", "threshold", "after"):
        bare.pop(key, None)
    return canonical_json(bare)


def _difference(path: Path, old: Any, new: Any) -> Difference:
    keys = tuple(str(part) for part in path)
    rules = [_rule(keys[:length]) for length in range(len(keys), 0, -1)]
    effect = next(_EFFECTS[rule] for rule in rules if rule in _EFFECTS)
    named = next((rule for rule in rules if rule in _WORDS or rule in _EFFECTS), ())
    return Difference(path_text(path), old, new, effect, _WORDS.get(named, EFFECTS[effect]))


def _rule(keys: tuple[str, ...]) -> tuple[str, ...]:
    if keys[:2] != ("data", "columns") or not keys[2:]:
        return keys
    return (*keys[:2], "*", *keys[3:])


def _said(value: Any) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key}: {_said(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(_said(item) for item in value) + "]"
    return str(value)
