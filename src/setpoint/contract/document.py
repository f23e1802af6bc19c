"""YAML text to a tree of nodes that know where they stand, with everything unsound about the text.

Reads YAML 1.2 events one by one, so that a text built to hurt (deep, huge, or full of aliases) is refused before it
costs anything. Aliases, tags and merge keys are not read: a contract says everything where it stands.
"""

import re
from dataclasses import dataclass, field
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    CollectionEndEvent,
    DocumentStartEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceStartEvent,
)

from setpoint.contract.origin import Path, Place, path_text
from setpoint.contract.resolve import Value, resolve, resolve_key
from setpoint.errors import ContractError, Problem

MAX_TEXT = 256 * 1024
"""Longest text that is read, in characters."""
MAX_DEPTH = 32
"""Deepest nesting of lists and mappings."""
MAX_NODES = 50_000
"""Most values, keys included."""

_UNREADABLE = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufffe\uffff]|(?<=.)\ufeff",
    re.DOTALL,
)
_MOST_PROBLEMS = 100


@dataclass(frozen=True, slots=True)
class Entry:
    """One key of a mapping with its value."""

    place: Place
    node: "Node"


@dataclass(slots=True)
class Node:
    """One value of the document.

    Args:
        value: A plain value, a list of nodes, or a dict from key to entry.
        place: Where it stands.
        raw: The text of a plain value, as written.
        quoted: Whether a plain value is quoted.
    """

    value: "Value | list[Node] | dict[str, Entry]"
    place: Place
    raw: str = ""
    quoted: bool = False

    @property
    def said(self) -> str:
        """What stands there, for error messages."""
        if isinstance(self.value, dict):
            return "a mapping"
        if isinstance(self.value, list):
            return "a list"
        if self.value is None:
            return "nothing"
        return f'"{self.raw}"' if self.quoted else self.raw

    def at(self, path: Path) -> "Entry | None":
        """Return what stands under a path of keys, or None."""
        entry: Entry | None = None
        node = self
        for key in path:
            entry = node.value.get(str(key)) if isinstance(node.value, dict) else None
            if entry is None:
                return None
            node = entry.node
        return entry

    def put(self, path: Path, entry: "Entry") -> None:
        """Put an entry under a path of keys, with new mappings where there are none.

        Where something other than a mapping is in the way nothing is put: validation names that.
        """
        node = self
        for key in path[:-1]:
            if not isinstance(node.value, dict):
                return
            child = node.value.get(str(key))
            if child is None or child.node.value is None:
                child = node.value[str(key)] = Entry(entry.place, Node({}, entry.node.place))
            node = child.node
        if isinstance(node.value, dict):
            node.value[str(path[-1])] = entry

    def plain(self) -> Any:
        """The value as plain data."""
        if isinstance(self.value, dict):
            return {key: entry.node.plain() for key, entry in self.value.items()}
        if isinstance(self.value, list):
            return [node.plain() for node in self.value]
        return self.value

    def places(self, path: Path = ()) -> dict[str, Place]:
        """Place of each path below; of a key where there is one, else of the value."""
        found: dict[str, Place] = {}
        if isinstance(self.value, dict):
            for key, entry in self.value.items():
                found[path_text((*path, key))] = entry.place
                found |= entry.node.places((*path, key))
        elif isinstance(self.value, list):
            for position, node in enumerate(self.value):
                found[path_text((*path, position))] = node.place
                found |= node.places((*path, position))
        return found


@dataclass(frozen=True, slots=True)
class Document:
    """A text that was read: its root, and what is unsound about it."""

    root: Node
    problems: tuple[Problem, ...]


def read_document(text: str, *, file: str) -> Document:
    """Return the tree of a YAML text.

    Args:
        text: One YAML document.
        file: Name that problems are reported under.

    Raises:
        ContractError: The text is too long, too deep, or no YAML at all.
    """
    if len(text) > MAX_TEXT:
        message = f"is {len(text):,} characters long; a contract has at most {MAX_TEXT:,}"
        raise ContractError([Problem(message, file, 1, 1)])
    if unreadable := _unreadable(text, file):
        raise ContractError(unreadable)
    builder = _Builder(file)
    try:
        for event in YAML(typ="safe", pure=True).parse(text):
            builder.take(event)
    except MarkedYAMLError as error:
        raise ContractError([*builder.problems, _syntax(error, text, file)]) from error
    except YAMLError as error:
        raise ContractError([Problem(f"is not YAML: {error}", file)]) from error
    root = builder.root or Node(None, Place(file, 1, 1))
    return Document(root, tuple(builder.problems))


def _unreadable(text: str, file: str) -> list[Problem]:
    problems = []
    for match in _UNREADABLE.finditer(text):
        line = text.count("\n", 0, match.start()) + 1
        column = match.start() - (text.rfind("\n", 0, match.start()) + 1) + 1
        message = (
            "holds a character that cannot be seen; delete it, or write it as an escape in quotes"
        )
        problems.append(Problem(message, file, line, column, found=f"U+{ord(match[0]):04X}"))
        if len(problems) == _MOST_PROBLEMS:
            break
    return problems


def _syntax(error: MarkedYAMLError, text: str, file: str) -> Problem:
    mark = error.problem_mark or error.context_mark
    message = f"is not YAML: {error.problem or error.context or 'it breaks off'}"
    if mark is None:
        return Problem(message, file)
    if text[mark.index : mark.index + 1] == "\t":
        return Problem(
            "a tab stands where YAML wants blanks",
            file,
            mark.line + 1,
            mark.column + 1,
            found="a tab",
        )
    return Problem(message, file, mark.line + 1, mark.column + 1)


@dataclass(slots=True)
class _Open:
    """A list or mapping that has begun and not ended."""

    node: Node
    path: Path
    key: str | None = None
    key_place: Place = field(default_factory=Place)


class _Builder:
    """Builds the tree from events, without recursion."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.root: Node | None = None
        self.problems: list[Problem] = []
        self._open: list[_Open] = []
        self._nodes = 0
        self._documents = 0

    def take(self, event: Any) -> None:
        """Add one event."""
        if isinstance(event, CollectionEndEvent):
            self._open.pop()
        elif isinstance(event, DocumentStartEvent):
            self._begin(event)
        elif isinstance(event, AliasEvent | ScalarEvent | SequenceStartEvent | MappingStartEvent):
            self._nodes += 1
            if self._nodes > MAX_NODES:
                self._stop(f"holds more than {MAX_NODES:,} values", event)
            if self._wants_key():
                self._take_key(event)
            else:
                self._take_value(event)

    def _begin(self, event: Any) -> None:
        self._documents += 1
        if self._documents > 1:
            self._stop("a second document begins; a contract is one", event)
        if event.version is not None and tuple(event.version) < (1, 2):
            self._blame("YAML 1.1 is asked for; a contract is YAML 1.2", event)

    def _wants_key(self) -> bool:
        return (
            bool(self._open)
            and isinstance(self._open[-1].node.value, dict)
            and (self._open[-1].key is None)
        )

    def _take_key(self, event: Any) -> None:
        if not isinstance(event, ScalarEvent):
            self._stop("a key is not text", event)
        top = self._open[-1]
        if not event.style and (reason := resolve_key(event.value)):
            path = (*top.path, event.value)
            self._blame_at(reason, self._place(event), path, found=event.value)
        top.key, top.key_place = event.value, self._place(event)

    def _take_value(self, event: Any) -> None:
        path = self._path()
        if isinstance(event, AliasEvent):
            self._blame("aliases are not read; write the value out, or use an overlay", event)
            self._place_node(Node(None, self._place(event), f"*{event.anchor}"), path)
            return
        if event.tag is not None:
            self._blame("tags are not read; write text in quotes", event, found=str(event.tag))
        if isinstance(event, ScalarEvent):
            self._place_node(self._scalar(event, path), path)
            return
        empty: dict[str, Entry] | list[Node] = {} if isinstance(event, MappingStartEvent) else []
        node = Node(empty, self._place(event))
        self._place_node(node, path)
        if len(self._open) == MAX_DEPTH:
            self._stop(f"is nested more than {MAX_DEPTH} deep", event)
        self._open.append(_Open(node, path))

    def _scalar(self, event: Any, path: Path) -> Node:
        place = self._place(event)
        if event.style:
            return Node(event.value, place, event.value, quoted=True)
        value, reason = resolve(event.value, label=_holds_labels(path))
        if reason:
            self._blame(reason, event, found=event.value)
        return Node(value, place, event.value)

    def _path(self) -> Path:
        if not self._open:
            return ()
        top = self._open[-1]
        if isinstance(top.node.value, list):
            return (*top.path, len(top.node.value))
        return top.path if top.key is None else (*top.path, top.key)

    def _place_node(self, node: Node, path: Path) -> None:
        if not self._open:
            self.root = node
            return
        top = self._open[-1]
        if isinstance(top.node.value, list):
            top.node.value.append(node)
        elif isinstance(top.node.value, dict) and top.key is not None:
            known = top.node.value.get(top.key)
            if known is not None:
                message = f"stands twice; the first is in line {known.place.line}"
                self._blame_at(message, top.key_place, path, found=top.key)
            else:
                top.node.value[top.key] = Entry(top.key_place, node)
            top.key = None

    def _place(self, event: Any) -> Place:
        return Place(self.file, event.start_mark.line + 1, event.start_mark.column + 1)

    def _blame(self, message: str, event: Any, *, found: str = "") -> None:
        self._blame_at(message, self._place(event), self._path(), found=found)

    def _blame_at(self, message: str, place: Place, path: Path, *, found: str) -> None:
        if len(self.problems) < _MOST_PROBLEMS:
            text = path_text(path)
            self.problems.append(
                Problem(message, place.file, place.line, place.column, text, found[:80])
            )

    def _stop(self, message: str, event: Any) -> None:
        self._blame_at(message, self._place(event), (), found="")
        raise ContractError(self.problems)


def _holds_labels(path: Path) -> bool:
    return path[-1:] == ("positive",) or path[-2:-1] in {("values",), ("nulls",)}
