"""Validation errors to problems: where it stands, what was found, what is allowed, and the nearest known key."""

import re
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, Tag, ValidationError
from pydantic_core import ErrorDetails

from setpoint.contract.contract import Contract
from setpoint.contract.document import Node
from setpoint.contract.metrics import OTHER_NAMES
from setpoint.contract.origin import Path, Place, path_text
from setpoint.contract.overlay import ALIASES
from setpoint.errors import Problem

_MOST = 100
"""Most problems that are told at once; a wrong file is not a hundred mistakes."""

_TAG = re.compile(r"<\w+>")
_QUOTED = re.compile(r"'([^']*)'")
_OTHER_WORDS: dict[str, str] = {  # only ever used to suggest ours
    "boolean": "bool",
    "categorical": "category",
    "classification": "binary",
    "date": "datetime",
    "double": "float",
    "integer": "int",
    "number": "float",
    "object": "text",
    "str": "text",
    "string": "text",
    "timestamp": "datetime",
    **OTHER_NAMES,
}
_SHORT_FORM = ("slas", "monitoring")
_KINDS: dict[str, tuple[str, str]] = {  # pydantic's error: message, allowed
    "string_type": ("is not text", "text"),
    "int_type": ("is not a whole number", "a whole number"),
    "float_type": ("is not a number", "a number"),
    "bool_type": ("is neither true nor false", "true or false"),
    "tuple_type": ("is not a list", "a list"),
    "dict_type": ("is not a mapping of keys to values", "a mapping"),
    "mapping_type": ("is not a mapping of keys to values", "a mapping"),
    "model_type": ("is not a mapping of keys to values", "a mapping"),
    "model_attributes_type": ("is not a mapping of keys to values", "a mapping"),
    "string_pattern_mismatch": ("cannot be a name", "letters, digits, _ . and -, up to 100"),
    "string_too_short": ("is empty", "text"),
    "string_too_long": ("is too long", "shorter text"),
    "too_short": ("has too few items", "a list with one item or more"),
    "finite_number": ("is no finite number", "a finite number"),
    "missing": ("is missing", ""),
}
_BOUNDS = {
    "greater_than": ("gt", "more than {}"),
    "greater_than_equal": ("ge", "{} or more"),
    "less_than": ("lt", "less than {}"),
    "less_than_equal": ("le", "{} or less"),
}


def problems_of(error: ValidationError, root: Node, *, file: str) -> list[Problem]:
    """Return the problems behind a validation error of the contract that `root` was read from."""
    details = _outermost(error.errors(include_url=False))
    found = [_problem(detail, root, file) for detail in details[:_MOST]]
    if len(details) > _MOST:
        found.append(Problem(f"has {len(details) - _MOST:,} further problems", file))
    return found


def _outermost(details: list[ErrorDetails]) -> list[ErrorDetails]:
    """Return the errors without lists that are too short only because their items are wrong."""
    inside = {detail["loc"][:length] for detail in details for length in range(len(detail["loc"]))}
    return [d for d in details if d["type"] != "too_short" or d["loc"] not in inside]


def _problem(detail: ErrorDetails, root: Node, file: str) -> Problem:
    path = _bare(detail["loc"])
    kind, context = detail["type"], detail.get("ctx", {})
    if kind == "extra_forbidden":
        return _unknown_key(detail["loc"], path, root)
    if kind == "rule" and context.get("at"):
        path = (*path, context["at"])
    place, node = standing(root, path, file)
    found = node.said if node is not None else ""
    message, allowed, nearest = _words(detail, node)
    if kind == "missing" and not allowed:
        allowed = _description(detail["loc"])
    return Problem(
        message, place.file, place.line, place.column, path_text(path), found[:80], allowed, nearest
    )


def _words(detail: ErrorDetails, node: Node | None) -> tuple[str, str, str]:
    kind, context = detail["type"], detail.get("ctx", {})
    if kind == "literal_error":
        choices = _QUOTED.findall(str(context["expected"]))
        return "is none of the known words", ", ".join(choices), _nearest(node, choices)
    if kind in _BOUNDS:
        key, words = _BOUNDS[kind]
        return "is out of range", words.format(context[key]), ""
    if kind == "kind":
        nearest = _nearest_key(node, str(context["keys"]).split())
        return detail["msg"], str(context["allowed"]), nearest
    if kind in {"scalar", "rule"}:
        nearest = str(context.get("nearest", ""))
        return str(context["message"]), str(context["allowed"]), nearest
    message, allowed = _KINDS.get(kind, (detail["msg"], ""))
    if kind == "string_type" and node is not None and node.raw and not node.quoted:
        allowed = f'text; as text, this is written "{node.raw}" with quotes'
    if kind == "tuple_type" and node is not None and node.raw:
        allowed = f"a list, such as [{node.raw}]"
    return message, allowed, ""


def _bare(loc: Sequence[str | int]) -> Path:
    """Return the path without the tags of unions, which stand right after a position."""
    path: list[str | int] = []
    for position, part in enumerate(loc):
        tagged = position > 0 and isinstance(loc[position - 1], int)
        if not (tagged and isinstance(part, str) and _TAG.fullmatch(part)):
            path.append(part)
    return tuple(path)


def standing(root: Node, path: Path, file: str) -> tuple[Place, Node | None]:
    """Return where a path stands, or else what is around it; and its node, if it was written."""
    node, place = root, Place(file, root.place.line, root.place.column)
    for part in path:
        if isinstance(part, int) and isinstance(node.value, list) and part < len(node.value):
            node = node.value[part]
            place = node.place
        elif isinstance(node.value, dict) and str(part) in node.value:
            entry = node.value[str(part)]
            node, place = entry.node, entry.place
        else:
            return place, None
    return place, node


def _unknown_key(loc: Sequence[str | int], path: Path, root: Node) -> Problem:
    key = str(path[-1])
    known = known_keys(loc[:-1])
    place, _ = standing(root, path, "")
    nearest = next(iter(get_close_matches(key, known, n=1)), "")
    if not nearest:
        nearest = _known_elsewhere(path)
    text, allowed = path_text(path), ", ".join(known)
    return Problem(
        "is not a key here", place.file, place.line, place.column, text, key[:80], allowed, nearest
    )


def _known_elsewhere(path: Path) -> str:
    """Return the path of ours that another name or another place of a key stands for, or ""."""
    theirs = tuple(str(part) for part in path)
    if theirs in ALIASES:
        return path_text(ALIASES[theirs])
    for top, field in Contract.model_fields.items():
        section = _model_of(field.annotation)
        if section is not None and theirs[-1] in section.model_fields:
            return f"{top}.{theirs[-1]}"
    return ""


def known_keys(loc: Sequence[str | int]) -> list[str]:
    """Return the keys that a mapping of the contract can have.

    Args:
        loc: Where the mapping stands, as pydantic says it: with the tags of unions.
    """
    current: Any = Contract
    for part in loc:
        current = _inside(current, part)
    model = _model_of(current)
    if model is None:
        return []
    keys = [field.alias or name for name, field in model.model_fields.items()]
    return [*keys, *_SHORT_FORM] if tuple(loc) == ("model",) else keys


def _inside(annotation: Any, part: str | int) -> Any:
    """Return the type of a key, position or union member of a type."""
    model = _model_of(annotation)
    if model is not None:
        by_key = {field.alias or name: field for name, field in model.model_fields.items()}
        return by_key[str(part)].annotation if part in by_key else None
    for member in _members(annotation):
        if isinstance(part, str) and Tag(part) in getattr(member, "__metadata__", ()):
            return member
    arguments = get_args(annotation)
    if isinstance(part, int) and get_origin(annotation) is tuple:
        return arguments[0]
    return arguments[1] if get_origin(annotation) is Mapping else None


def _members(annotation: Any) -> tuple[Any, ...]:
    if get_origin(annotation) is Annotated:
        return _members(get_args(annotation)[0])
    return get_args(annotation) if get_origin(annotation) in {Union, UnionType} else ()


def _model_of(annotation: Any) -> type[BaseModel] | None:
    if get_origin(annotation) is Annotated:
        return _model_of(get_args(annotation)[0])
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    models = [m for m in map(_model_of, _members(annotation)) if m is not None]
    return models[0] if len(models) == 1 else None


def _description(loc: Sequence[str | int]) -> str:
    current: Any = Contract
    for part in loc[:-1]:
        current = _inside(current, part)
    model = _model_of(current)
    field = model.model_fields.get(str(loc[-1])) if model is not None else None
    return (field.description or "") if field is not None else ""


def _nearest(node: Node | None, choices: Sequence[str]) -> str:
    if node is None or not isinstance(node.value, str):
        return ""
    word = node.value.lower()
    if _OTHER_WORDS.get(word) in choices:
        return _OTHER_WORDS[word]
    return next(iter(get_close_matches(word, choices, n=1)), "")


def _nearest_key(node: Node | None, keys: Sequence[str]) -> str:
    if node is None or not isinstance(node.value, dict):
        return ""
    matches = (get_close_matches(key, keys, n=1) for key in node.value)
    return next((match[0] for match in matches if match), "")
