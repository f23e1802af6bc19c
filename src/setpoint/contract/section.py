"""What all sections of a contract share: frozen, no unknown keys, plain values without coercion."""

import math
from collections.abc import Mapping
from typing import Annotated, Any, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    PlainValidator,
    StrictBool,
    StrictFloat,
    StrictInt,
    StrictStr,
    StringConstraints,
    WithJsonSchema,
    model_validator,
)
from pydantic_core import PydanticCustomError

_T = TypeVar("_T", bound=str)

_LONGEST_TEXT = 10_000  # characters

Flag = StrictBool
Number = Annotated[StrictFloat, Field(allow_inf_nan=False)]
Whole = Annotated[StrictInt, Field(ge=0, le=2**53)]
Text = Annotated[StrictStr, StringConstraints(min_length=1, max_length=_LONGEST_TEXT)]
Name = Annotated[
    StrictStr, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$", max_length=100)
]


def _plain(raw: object) -> bool | int | float | str:
    if isinstance(raw, bool | int | str) or (isinstance(raw, float) and math.isfinite(raw)):
        return raw
    facts = {"message": "is not a plain value", "allowed": "text, a number, true or false"}
    raise PydanticCustomError("scalar", "{message}", facts)


def whole(number: float) -> float:
    """Return a number without decimals as an int, so that 1 and 1.0 are one promise."""
    return int(number) if float(number).is_integer() else number


def _label(raw: object) -> bool | int | float | str:
    value = _plain(raw)
    return whole(value) if isinstance(value, float) else value


Plain = Annotated[
    bool | int | float | str,
    PlainValidator(_label),
    WithJsonSchema({"type": ["string", "number", "boolean"]}),
]
"""A value as a table holds it: text, number, true or false; `1` and `"1"` differ."""


def _distinct(names: tuple[_T, ...]) -> tuple[_T, ...]:
    return tuple(sorted(set(names)))


Names = Annotated[tuple[Text, ...], AfterValidator(_distinct)]
"""Names in no order: sorted, each once."""
Distinct = AfterValidator(_distinct)
"""Makes a list that means a set the same however it was written: sorted, each once."""


def _param(raw: object) -> Any:
    if raw is None:
        return None
    if isinstance(raw, list | tuple):
        return tuple(_param(item) for item in raw)
    if isinstance(raw, Mapping):
        return {str(key): _param(value) for key, value in raw.items()}
    return _plain(raw)


Param = Annotated[Any, PlainValidator(_param), WithJsonSchema({})]
"""A parameter of an estimator: a plain value, null, or lists and mappings of them."""


class Section(BaseModel):
    """A frozen part of a contract. A key that is present without a value counts as absent."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    @model_validator(mode="before")
    @classmethod
    def _without_empty_keys(cls, raw: Any) -> Any:
        if raw is None:
            return {}
        if isinstance(raw, Mapping):
            return {key: value for key, value in raw.items() if value is not None}
        return raw


def refuse(message: str, *, allowed: str = "", at: str = "") -> PydanticCustomError:
    """Return the error of a rule that a section breaks; `at` names the key that breaks it."""
    return PydanticCustomError(
        "rule", "{message}", {"message": message, "allowed": allowed, "at": at}
    )
