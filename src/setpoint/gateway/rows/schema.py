"""The contract as a gateway sees it: `request.json` of a bundle, compiled to checks of a request's columns."""

import math
import re
from collections.abc import Sequence
from typing import Any, Literal

import msgspec

from setpoint.errors import BundleError
from setpoint.gateway.rows.column_check import ColumnRule, RuleBrokenError, as_text, compile_check
from setpoint.gateway.wire.refusal import Flaw, RefusedError

_FLAWS = 20  # flaws that one answer lists

Row = tuple[Any, ...]
"""Checked values of one row in the order of a schema."""


class RequestDocument(msgspec.Struct, frozen=True, kw_only=True):
    """`request.json`: what a request must be, compiled from the contract when the bundle was written.

    Args:
        model: Name of the model.
        task: What the model answers.
        classes: Class names in the order of the model's probabilities; empty for regression.
        positive: The positive class of a binary task.
        threshold: Probability from which a binary task answers the positive class.
        contract: Digest of the contract.
        columns: The features, in the order of a request's lists.
        key: Column that names the entity, or empty; it may be sent beside the features.
        key_log: What the prediction log keeps of it.
        together: The model is asked about rows in multiples of this many, so that no answer shows which other rows were
            asked about; 0 where no number makes that so.
    """

    model: str
    task: Literal["binary", "multiclass", "regression"]
    classes: tuple[str | float | bool, ...] = ()
    positive: str | float | bool | None = None
    threshold: float | None = None
    contract: str
    columns: tuple[ColumnRule, ...]
    key: str | None = ""
    key_log: str = "keep"
    together: int = 1


class Schema:
    """The compiled document.

    Args:
        document: The document.

    Attributes:
        names: Feature names in order.
        nullable: Names of features that may be null.
        classes: Class names as text.
        class_numbers: The classes as numbers, where all of them are numbers; else empty.
        own_classes: The classes as the model itself says them: whole numbers or truth values where all of them are
            such, else text; empty for regression.
        positive: Position of the positive class; the last unless the document says otherwise.

    Raises:
        BundleError: The document contradicts itself.
    """

    def __init__(self, document: RequestDocument) -> None:
        self.document = document
        self.names = tuple(rule.name for rule in document.columns)
        self.nullable = frozenset(rule.name for rule in document.columns if rule.nullable)
        self.classes = tuple(as_text(name) for name in document.classes)
        self._require_sound()
        self.class_numbers = _numbers(self.classes)
        self.own_classes = _own(self.classes)
        self.positive = self._positive()
        self.threshold = 0.5 if document.threshold is None else document.threshold
        self.key = document.key or ""
        self._checks = tuple(compile_check(rule) for rule in document.columns)

    def check(self, columns: Sequence[Sequence[Any]]) -> list[list[Any]]:
        """Return the columns as model and log take them.

        Args:
            columns: Values by feature, in the order of `names`, each of n values.

        Raises:
            RefusedError: 422; a value breaks a rule. Names the first breach of each column.
        """
        try:
            return [check(values) for check, values in zip(self._checks, columns, strict=True)]
        except RuleBrokenError:
            raise RefusedError(422, self._flaws(columns)) from None

    def outcome(self, value: str | float | bool) -> str | float:  # noqa: FBT001 (a value)
        """Return an outcome as the log keeps it: a class as text, or a number.

        Raises:
            RefusedError: 422; it is no class of the model, or no number.
        """
        if self.document.task == "regression":
            if isinstance(value, bool) or not isinstance(value, int | float):
                raise RefusedError(422, [Flaw(reason=f"outcome {value!r} is not a number")])
            return float(value)
        text = as_text(value)
        if text not in self.classes:
            classes = ", ".join(map(repr, self.classes))
            raise RefusedError(422, [Flaw(reason=f"outcome {text[:60]!r} is not one of {classes}")])
        return text

    def _flaws(self, columns: Sequence[Sequence[Any]]) -> list[Flaw]:
        """Return the first breach of each column."""
        flaws = []
        for name, check, values in zip(self.names, self._checks, columns, strict=True):
            try:
                check(values)
            except RuleBrokenError as broken:
                flaws.append(
                    Flaw(reason=broken.reason, column=name, row=broken.row, rule=broken.rule)
                )
        return flaws[:_FLAWS]

    def _positive(self) -> int:
        """Return the position of the positive class."""
        if self.document.task != "binary" or self.document.positive in (None, ""):
            return len(self.classes) - 1
        positive = as_text(self.document.positive or "")
        if positive not in self.classes:
            msg = f"request.json: positive class {positive!r} is not among {self.classes}"
            raise BundleError(msg)
        return self.classes.index(positive)

    def _require_sound(self) -> None:
        """Check what the types cannot say."""
        if not self.names or len(set(self.names)) != len(self.names):
            msg = (
                f"request.json needs one or more columns of different names, got {list(self.names)}"
            )
            raise BundleError(msg)
        if self.document.task == "binary" and len(self.classes) != 2:  # noqa: PLR2004 (binary)
            msg = f"request.json: a binary task has two classes, got {list(self.classes)}"
            raise BundleError(msg)
        if self.document.task == "multiclass" and len(self.classes) < 2:  # noqa: PLR2004
            msg = f"request.json: a multiclass task has classes, got {list(self.classes)}"
            raise BundleError(msg)


def _numbers(classes: Sequence[str]) -> tuple[int | float, ...]:
    """Return classes as numbers, or nothing where one is not written as a number."""
    try:
        numbers = tuple(float(name) for name in classes)
    except ValueError:
        return ()
    if not all(map(math.isfinite, numbers)):
        return ()
    return tuple(int(number) if number.is_integer() else number for number in numbers)


def _own(classes: Sequence[str]) -> tuple[str | int | bool, ...]:
    """Return classes of the type that models are fitted on: whole numbers and truth values have one text each."""
    if set(classes) == {"true", "false"}:
        return tuple(name == "true" for name in classes)
    if all(re.fullmatch(r"0|-?[1-9][0-9]{0,17}", name) for name in classes):
        return tuple(map(int, classes))
    return tuple(classes)


def read_schema(text: bytes) -> Schema:
    """Return the schema that `request.json` says.

    Raises:
        BundleError: It is not such a document, or contradicts itself.
    """
    try:
        document = msgspec.json.decode(text, type=RequestDocument)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        msg = f"request.json cannot be read: {error}"
        raise BundleError(msg) from error
    return Schema(document)
