"""A drafted contract as YAML that people like to read: short mappings on one line, remarks at the end of it.

Whatever YAML 1.1 and YAML 1.2 read differently (`yes`, `2.10`, `1e3`) stands in quotes.
"""

import json
import re
from collections.abc import Mapping
from typing import Any

SCHEMA_LINE = "# yaml-language-server: $schema=./model_contract.schema.json"
"""First line of a contract: editors then complete and check it."""

_PLAIN = re.compile(r"[A-Za-z_À-ɏ][\w À-ɏ./+-]*(?<! )")
_MEASURE = re.compile(r"\d+(\.\d+)?(%|[a-zA-Z]+| (points?|rows?|abs))")
_ODD_NUMBER = re.compile(r"\d+(\.\d+)?[eE]\d*|\d+[xXoObB_]\w*")
_CONDITION = re.compile(r"[a-z]+\.[a-z_]+ [<>]=? [\w.%]+( for \d+ windows?)?")
_SWITCHES = frozenset(
    {"y", "n", "yes", "no", "on", "off", "true", "false", "null", "none", "nan", "inf"}
)
_LISTED = frozenset({"gates", "when", "guardrails", "alerts"})  # one item a line
_DEPTH = 2  # sections and their parts stand in blocks; what is deeper is short


def contract_text(contract: Mapping[str, Any], remarks: Mapping[str, str]) -> str:
    """Return the YAML text of a drafted contract.

    Args:
        contract: Plain data, in the contract's order.
        remarks: Remark by dotted path; it becomes a comment on that line.
    """
    lines = [SCHEMA_LINE]
    for name, section in contract.items():
        lines.extend(_block(name, section, name, 0, remarks))
    return "\n".join(lines) + "\n"


def scalar_text(value: object) -> str:
    """Return one value as YAML writes it, quoted where readers could differ."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return _number_text(value)
    text = str(value)
    is_plain = bool(_PLAIN.fullmatch(text)) and text.lower() not in _SWITCHES
    return text if is_plain or _is_measure(text) else json.dumps(text, ensure_ascii=False)


def _is_measure(text: str) -> bool:
    """Whether a text is a share, a span or a condition of a contract, which no reader takes for a number."""
    if _CONDITION.fullmatch(text):
        return True
    return bool(_MEASURE.fullmatch(text)) and not _ODD_NUMBER.fullmatch(text)


def _number_text(value: float) -> str:
    text = repr(value)
    if "e" not in text:
        return text.removesuffix(".0") if text.endswith(".0") else text
    plain = f"{value:.20f}".rstrip("0")
    return plain if float(plain) == value else json.dumps(value).replace("e-0", "e-")


def _block(
    name: str, value: object, path: str, depth: int, remarks: Mapping[str, str]
) -> list[str]:
    indent = "  " * depth
    head = f"{indent}{scalar_text(name)}:"
    remark = f"  # {_one_line(remarks[path])}" if path in remarks else ""
    is_short = depth >= _DEPTH or (depth == 1 and name != "columns")
    if isinstance(value, Mapping) and value and not is_short:
        lines = [head + remark]
        for key, item in value.items():
            lines.extend(_block(key, item, f"{path}.{key}", depth + 1, remarks))
        return lines
    if isinstance(value, list) and name in _LISTED:
        return [head + remark, *(f"{indent}  - {_flow(item)}" for item in value)]
    return [f"{head} {_flow(value)}{remark}"]


def _flow(value: object) -> str:
    if isinstance(value, Mapping):
        return (
            "{"
            + ", ".join(f"{scalar_text(key)}: {_flow(item)}" for key, item in value.items())
            + "}"
        )
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_flow(item) for item in value) + "]"
    return scalar_text(value)


def _one_line(text: str) -> str:
    return " ".join(text.split())
