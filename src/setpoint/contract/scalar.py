"""The base of small values that people write as text, such as `5%`, `24h` or `500MB`.

A scalar reads what people write (`read`), has one canonical text (`str`) that reads back to an equal value, and names
in words what it accepts (`allowed`), which error messages and the JSON Schema repeat.
"""

from typing import Any, ClassVar, Self

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

MAX_TEXT = 1000
"""Longest text of a scalar, in characters."""


class ScalarError(ValueError):
    """A text cannot be read as the scalar that stands in its place.

    Args:
        message: What is wrong, as one sentence.
        allowed: What could stand there.
        nearest: The nearest known word, for a misspelt one.
    """

    def __init__(self, message: str, *, allowed: str, nearest: str = "") -> None:
        self.message = message
        self.allowed = allowed
        self.nearest = nearest
        super().__init__(f"{message}; allowed: {allowed}")


class Scalar:
    """A value with a canonical text form; subclasses are frozen and give `read` and `__str__`."""

    __slots__ = ()

    allowed: ClassVar[str]
    json_forms: ClassVar[tuple[dict[str, Any], ...]]

    @classmethod
    def read(cls, raw: object) -> Self:
        """Return the value that `raw` (text or number) says.

        Raises:
            ScalarError: `raw` is nothing of the kind.
        """
        raise NotImplementedError

    @classmethod
    def _validated(cls, raw: object) -> Self:
        if isinstance(raw, cls):
            return raw
        if isinstance(raw, str) and len(raw) > MAX_TEXT:
            raise PydanticCustomError(
                "scalar", "{message}", {"message": "is too long", "allowed": cls.allowed}
            )
        try:
            return cls.read(raw)
        except ScalarError as error:
            facts = {
                "message": error.message,
                "allowed": error.allowed,
                "nearest": error.nearest,
            }
            raise PydanticCustomError("scalar", "{message}", facts) from error

    @classmethod
    def __get_pydantic_core_schema__(
        cls, source: object, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        """Tell pydantic to validate by `read` and to serialise by `str`."""
        del source, handler
        return core_schema.no_info_plain_validator_function(
            cls._validated, serialization=core_schema.to_string_ser_schema()
        )

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        """Tell editors which texts and numbers are accepted."""
        del schema, handler
        forms = [dict(form) for form in cls.json_forms]
        form = forms[0] if len(forms) == 1 else {"anyOf": forms}
        return {**form, "description": cls.allowed}
