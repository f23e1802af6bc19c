"""Text to contract: everything that is wrong with it at once, each with file, line and column."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from setpoint.contract.contract import Contract
from setpoint.contract.document import Entry, Node, read_document
from setpoint.contract.explain import problems_of, standing
from setpoint.contract.origin import Origin, Place, path_text
from setpoint.contract.overlay import overlaid
from setpoint.contract.rules import broken_rules
from setpoint.contract.short_form import ShortForm
from setpoint.errors import ContractError, Problem


def parse(
    text: str,
    *,
    file: str = "model_contract.yaml",
    overlays: Sequence[tuple[str, str]] = (),
) -> Contract:
    """Return the contract that a text says.

    Args:
        text: The contract in YAML 1.2 (JSON is YAML), long or short form.
        file: Name that problems and places are reported under.
        overlays: Name and text of each overlay, in the order in which they are put over it.

    Raises:
        ContractError: The contract cannot be read or contradicts itself; carries every problem.
    """
    document = read_document(text, file=file)
    problems = list(document.problems)
    root = document.root
    if not isinstance(root.value, dict):
        raise ContractError([*problems, _no_mapping(root, file)])
    for name, over in overlays:
        overlay = read_document(over, file=name)
        problems.extend(overlay.problems)
        root = overlaid(root, overlay.root, problems)
    short = ShortForm(root)
    short.expand()
    problems.extend(short.problems)
    contract, found = _validated(root.plain(), root, file)
    if contract is not None:
        found = _rule_problems(contract, root, file)
    problems.extend(_unsaid(found, problems))
    if contract is None or problems:
        raise ContractError(
            sorted(problems, key=lambda p: (p.file != file, p.file, p.line, p.column))
        )
    contract.set_origin(Origin(file, root.places(), tuple(short.became)))
    return contract


def from_plain(plain: Mapping[str, Any]) -> Contract:
    """Return the contract of a canonical form, or of any plain data in the long form.

    Raises:
        ContractError: It is no contract; problems have paths, but no lines.
    """
    contract, problems = _validated(plain, _tree(plain), "")
    if contract is not None:
        problems = _rule_problems(contract, _tree(plain), "")
    if contract is None or problems:
        raise ContractError(problems)
    return contract


def restore(text: str) -> Contract:
    """Return the contract whose canonical text (`Contract.text`) this is.

    Raises:
        ContractError: The text is not the canonical text of a contract.
    """
    try:
        plain = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ContractError([Problem(f"is not JSON: {error}")]) from error
    if not isinstance(plain, dict):
        raise ContractError([Problem("is not a mapping of keys to values")])
    return from_plain(plain)


def _validated(plain: object, root: Node, file: str) -> tuple[Contract | None, list[Problem]]:
    try:
        return Contract.model_validate(plain), []
    except ValidationError as error:
        return None, problems_of(error, root, file=file)


def _rule_problems(contract: Contract, root: Node, file: str) -> list[Problem]:
    problems = []
    for broken in broken_rules(contract):
        place, node = standing(root, broken.path, file)
        problems.append(
            Problem(
                broken.message,
                place.file,
                place.line,
                place.column,
                path_text(broken.path),
                node.said[:80] if node is not None else broken.found,
                broken.allowed,
            )
        )
    return problems


def _unsaid(found: Sequence[Problem], said: Sequence[Problem]) -> list[Problem]:
    """Return the problems that stand where none was named yet: one mistake, one problem."""
    paths = {problem.path for problem in said if problem.path}
    return [problem for problem in found if problem.path not in paths]


def _no_mapping(root: Node, file: str) -> Problem:
    message = "is not a mapping of keys to values"
    if root.value is None:
        message = "is empty"
    allowed = "model: {name: …, task: …} and data: {source: …, target: …}"
    found = "" if root.value is None else root.said[:80]
    return Problem(message, file, root.place.line, root.place.column, "", found, allowed)


def _tree(plain: object) -> Node:
    """Return plain data as a tree without places."""
    place = Place()
    if isinstance(plain, Mapping):
        entries = {str(key): Entry(place, _tree(value)) for key, value in plain.items()}
        return Node(entries, place)
    if isinstance(plain, list | tuple):
        return Node([_tree(value) for value in plain], place)
    if plain is None or isinstance(plain, str | int | float | bool):
        return Node(plain, place, str(plain), quoted=isinstance(plain, str))
    return Node(None, place)
