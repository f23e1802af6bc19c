"""Rows made up from what a gateway says of its inputs: within every limit that the contract names."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from setpoint.client.answer import Tensor
from setpoint.errors import UsageError

Kind = str
_KINDS = {"INT64": "int", "FP64": "float", "BOOL": "bool", "BYTES": "category"}
_SPAN = {"int": 100.0, "float": 1.0}  # of numbers whose limits nobody names
_WORDS = ("a", "b", "c")


@dataclass(frozen=True, slots=True)
class Wish:
    """What a person says of one column: a range of numbers, or the values it takes.

    Args:
        low: Smallest number.
        high: Largest number.
        values: Values as text; empty for a range.
    """

    low: float = 0.0
    high: float = 0.0
    values: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class MadeRows:
    """Made-up rows.

    Args:
        rows: The rows by column.
        assumed: Columns of which nobody said what they hold.
    """

    rows: list[dict[str, Any]]
    assumed: tuple[str, ...]


def read_wish(text: str) -> tuple[str, Wish]:
    """Return column and wish of a text such as `tenure=0..72` or `plan=monthly,yearly`.

    Raises:
        UsageError: It is neither.
    """
    name, sign, said = text.partition("=")
    if not name.strip() or not sign or not said.strip():
        msg = f"{text!r} is not NAME=LOW..HIGH or NAME=VALUE,VALUE"
        raise UsageError(msg)
    low, dots, high = said.partition("..")
    if not dots:
        return name.strip(), Wish(values=tuple(value.strip() for value in said.split(",")))
    try:
        wish = Wish(float(low), float(high))
    except ValueError as error:
        msg = f"{text!r}: {said!r} is not two numbers such as 0..72"
        raise UsageError(msg) from error
    if not wish.low <= wish.high or wish.high - wish.low == float("inf"):
        msg = f"{text!r}: {low} to {high} is no range"
        raise UsageError(msg)
    return name.strip(), wish


def make_rows(
    inputs: Sequence[Tensor],
    count: int,
    chance: random.Random,
    *,
    key: str,
    wishes: Mapping[str, Wish],
) -> MadeRows:
    """Return made-up rows.

    Args:
        inputs: The model's inputs as the gateway describes them.
        count: Rows.
        chance: Where chance comes from.
        key: Column that names the entity, each row another one; empty for none.
        wishes: What a person says of columns; it goes before what the gateway says.

    Raises:
        UsageError: A wish names no input, or says what its type cannot hold.
    """
    if unknown := sorted(set(wishes) - {one.name for one in inputs}):
        known = ", ".join(one.name for one in inputs)
        msg = f"the model has no input {unknown[0]!r}; it has {known}"
        raise UsageError(msg)
    columns: dict[str, list[Any]] = {}
    assumed = []
    for one in inputs:
        wish = wishes.get(one.name) or _said(one)
        if wish is None:
            assumed.append(one.name)
        columns[one.name] = _column(one, wish, count, chance)
    if key:
        columns[key] = [f"load-{number}" for number in range(count)]
    names = tuple(columns)
    rows = [dict(zip(names, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    return MadeRows(rows, tuple(assumed))


def kind_of(one: Tensor) -> Kind:
    """Return the contract's type of an input; what stands for it where a server names only the datatype."""
    return str(one.parameters.get("kind") or _KINDS.get(one.datatype, "category"))


def _said(one: Tensor) -> Wish | None:
    """Return what the gateway says of an input; None where it says nothing that values could be made from."""
    kind, said = kind_of(one), one.parameters
    if kind == "bool":
        return Wish(values=("true", "false"))
    if isinstance(values := said.get("values"), str):
        listed = msgspec.json.decode(values, type=list[str | int | float | bool])
        return Wish(values=tuple(_text(value) for value in listed)) if listed else None
    if kind not in _SPAN or ("min" not in said and "max" not in said):
        return None
    low = float(said["min"]) if "min" in said else float(said["max"]) - _SPAN[kind]
    return Wish(low, float(said["max"]) if "max" in said else low + _SPAN[kind])


def _column(one: Tensor, wish: Wish | None, count: int, chance: random.Random) -> list[Any]:
    """Return the values of one column."""
    kind = kind_of(one)
    if wish is None:
        wish = Wish(0.0, _SPAN[kind]) if kind in _SPAN else Wish(values=_WORDS)
    if wish.values:
        values = [_typed(value, kind, one.name) for value in wish.values]
        return [chance.choice(values) for _ in range(count)]
    if kind == "int":
        low, high = -int(-wish.low // 1), int(wish.high // 1)  # the whole numbers within
        if low > high:
            msg = f"there is no whole number from {wish.low:g} to {wish.high:g} for {one.name!r}"
            raise UsageError(msg)
        return [chance.randint(low, high) for _ in range(count)]
    if kind == "float":
        return [_rounded(chance.uniform(wish.low, wish.high), wish) for _ in range(count)]
    msg = f"{one.name!r} is a {kind} and takes values: {one.name}=VALUE,VALUE"
    raise UsageError(msg)


def _rounded(value: float, wish: Wish) -> float:
    """Return a number of a length that people's data have, still within its limits."""
    return min(max(float(f"{value:.6g}"), wish.low), wish.high)


def _typed(text: str, kind: Kind, name: str) -> str | float | bool:
    """Return a value of a wish in the type of its column."""
    try:
        if kind == "bool":
            return {"true": True, "false": False}[text.lower()]
        if kind in _SPAN:
            return int(text) if kind == "int" else float(text)
    except (KeyError, ValueError) as error:
        msg = f"{text!r} is no value of {name!r}, which is a {kind}"
        raise UsageError(msg) from error
    return text


def _text(value: str | float | bool) -> str:  # noqa: FBT001 (a value, not a flag)
    return str(value).lower() if isinstance(value, bool) else str(value)
