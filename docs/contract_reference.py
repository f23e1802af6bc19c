"""Write `docs/contract.md` from the contract's own types, so that the reference cannot say anything else.

Run `python docs/contract_reference.py` after a change of the contract; a test compares the page with the types.
"""  # noqa: INP001 - a script beside the page that it writes, in no package

from collections.abc import Iterator, Mapping
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic.fields import FieldInfo

from setpoint.contract.canonical import canonical
from setpoint.contract.check import PENDING
from setpoint.contract.conditions import GRAMMAR, SIGNALS
from setpoint.contract.contract import Contract
from setpoint.contract.gates import GATE_TYPES
from setpoint.contract.metrics import METRICS, MetricName
from setpoint.contract.origin import path_text
from setpoint.contract.overlay import ALIASES
from setpoint.contract.scalar import Scalar
from setpoint.contract.schema import READING_RULES
from setpoint.contract.section import Section
from setpoint.contract.short_form import MONITORING, SLAS

PAGE = Path(__file__).with_name("contract.md")


_ABSENT = "(none)"
_PLAIN: dict[type, str] = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "text",
}

_HEAD = """\
# The contract, field by field

Written by `docs/contract_reference.py` from the types that read contracts; change those, not this page.
Only `model.name` is required to read a contract; a command that needs more (`model.task`, `data`) asks for it.
`setpoint check` says what a contract became, which defaults hold, and what in it does not act yet.

"""


def reference() -> str:
    """Return the whole page."""
    parts = [
        _HEAD,
        f"## How it is read\n\n{READING_RULES}\n",
        *_sections(Contract, ""),
        _gates(),
        _metrics(),
        _conditions(),
        _short_form(),
        _aliases(),
        _pending(),
    ]
    return "\n".join(part.rstrip() + "\n" for part in parts)


def _sections(section: type[Section], path: str, kind: str = "") -> Iterator[str]:
    """Yield the tables of a section and of all sections within it, the outer first."""
    title = f"`{path}`" if path else "The whole contract"
    yield f"## {title}{kind}\n\n{_first(section)}\n\n{_table(section)}"
    for name, field in section.model_fields.items():
        key = field.alias or name
        found = [one for one in _inner(field.annotation) if one[0] not in GATE_TYPES.values()]
        for inner, many in found:
            place = f"{path}.{key}" if path else key
            told = f": `{next(iter(inner.model_fields))}`" if len(found) > 1 else ""
            yield from _sections(inner, place + many, told)


def _inner(annotation: Any) -> Iterator[tuple[type[Section], str]]:
    """Yield the sections that an annotation names, each with `[]` or `.NAME` where there are many."""
    if isinstance(annotation, type) and issubclass(annotation, Section):
        yield annotation, ""
        return
    origin, given = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        given = given[:1]
    if origin is Literal:
        return
    many = "[]" if origin is tuple else ".NAME" if origin is Mapping else ""
    for one in given:
        for inner, deeper in _inner(one):
            yield inner, many + deeper


def _table(section: type[Section]) -> str:
    """Return the fields of one section as a table."""
    rows = ["| field | what it is | takes | default |", "|---|---|---|---|"]
    for name, field in section.model_fields.items():
        what = field.description or _described(field.annotation)
        cells = (
            f"`{field.alias or name}`",
            what,
            _takes(field.annotation),
            _default(field),
        )
        rows.append("| " + " | ".join(cell.replace("|", r"\|") for cell in cells) + " |")
    return "\n".join(rows)


def _described(annotation: Any) -> str:
    return " ".join(dict.fromkeys(_first(inner) for inner, _ in _inner(annotation)))


def _first(section: type[Section]) -> str:
    return (section.__doc__ or "").strip().splitlines()[0]


def _default(field: FieldInfo) -> str:
    """Return the default as a contract would write it; sections state their own in their tables."""
    if field.is_required():
        return "**required**"
    value = canonical(field.get_default(call_default_factory=True))
    if value in (None, [], {}, "") or isinstance(value, dict):
        return _ABSENT
    return f"`{_yaml(value)}`"


def _yaml(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return "[" + ", ".join(_yaml(item) for item in value) + "]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {_yaml(item)}" for key, item in value.items()) + "}"
    return str(value)


def _takes(annotation: Any) -> str:
    """Return in words what may stand in a field."""
    given = [one for one in get_args(annotation) if one not in (Ellipsis, NoneType)]
    if isinstance(annotation, type):
        words = _type_words(annotation)
    elif (origin := get_origin(annotation)) is Literal:
        known = ", ".join(f"`{one}`" for one in given)
        words = "a [metric](#metrics)" if tuple(given) == get_args(MetricName) else known
    elif origin is Annotated:
        words = _takes(given[0])
    elif origin is tuple:
        each = [_takes(one) for one in given]
        words = f"a list of: {each[0]}" if len(each) == 1 else f"[{', '.join(each)}]"
    elif origin is Mapping:
        words = f"a mapping of names to: {_takes(given[1])}"
    elif origin in (Union, UnionType):
        words = " or ".join(dict.fromkeys(_takes(one) for one in given))
    else:
        words = "any plain value"
    return words


def _type_words(plain: type) -> str:
    if issubclass(plain, Scalar):
        return plain.allowed
    if issubclass(plain, Section):
        return "a gate, see [gates](#gates)" if plain in GATE_TYPES.values() else "a mapping, below"
    return _PLAIN.get(plain, "any plain value")


def _gates() -> str:
    parts = [
        "## Gates\n\nEach entry of `gates` is a mapping; the first of these keys that is present says which gate it is."
    ]
    for key, gate in GATE_TYPES.items():
        parts.append(f"### `{key}`\n\n{_first(gate)}\n\n{_table(gate)}")
    return "\n\n".join(parts)


def _metrics() -> str:
    rows = ["## Metrics\n", "| metric | tasks | better | best |", "|---|---|---|---|"]
    for name, spec in METRICS.items():
        tasks = ", ".join(sorted(spec.tasks))
        rows.append(f"| `{name}` | {tasks} | {spec.better} | {spec.best:g} |")
    return "\n".join(rows)


def _conditions() -> str:
    rows = [
        f"## Conditions\n\nWhat `retrain.when` may say:\n\n```\n{GRAMMAR}```\n",
        "| signal | means | its value is a |",
        "|---|---|---|",
    ]
    rows += [f"| `{name}` | {meaning} | {kind} |" for name, (kind, meaning) in SIGNALS.items()]
    return "\n".join(rows)


def _short_form() -> str:
    rows = ["## The short form\n", "| key | becomes |", "|---|---|"]
    rows += [f"| `model.slas.{key}` | {becomes} |" for key, becomes in SLAS.items()]
    rows += [f"| `model.monitoring.{key}` | `{becomes}` |" for key, becomes in MONITORING.items()]
    return "\n".join(rows)


def _aliases() -> str:
    rows = [
        "## Other names in overlays\n\nA file under `configs/` may use these names of other people's configurations.\n",
        "| theirs | ours |",
        "|---|---|",
    ]
    rows += [f"| `{'.'.join(theirs)}` | `{'.'.join(ours)}` |" for theirs, ours in ALIASES.items()]
    return "\n".join(rows)


def _pending() -> str:
    rows = [
        "## Accepted, and not acted on yet\n",
        "A contract may say these things; `setpoint check` warns of each that it finds.\n",
        "| where | what |",
        "|---|---|",
    ]
    rows += [f"| `{path_text(pending.path)}` | {pending.what} |" for pending in PENDING]
    return "\n".join(rows)


if __name__ == "__main__":
    PAGE.write_text(reference(), encoding="utf-8")
