"""Puts contract, files and checks together: what `setpoint validate` and a project's own tests call."""

import importlib.util
import sys
from collections.abc import Collection
from pathlib import Path
from typing import Any

from setpoint.adapters.file_source import FileSource
from setpoint.contract.contract import Contract
from setpoint.data.frame_report import as_schema, frame_report, plain_frame
from setpoint.data.validate import validate
from setpoint.errors import UsageError
from setpoint.facts.report import ValidationReport
from setpoint.wiring.contract_file import read_contract

__all__ = ["read_contract", "validate_file", "validate_schema", "validate_source"]
"""Also what a project's own tests need to read their contract."""


def validate_source(
    contract: Path, *, env: str = "", accepted: Collection[str] = ()
) -> ValidationReport:
    """Check the data that a contract names.

    Raises:
        ContractError: The contract cannot be read.
        DataError: The data cannot be read.
    """
    return validate_file(read_contract(contract, env=env), None, contract.parent, accepted=accepted)


def validate_file(
    contract: Contract, data: str | None, folder: Path, *, accepted: Collection[str] = ()
) -> ValidationReport:
    """Check a file against a contract.

    Args:
        contract: Has a section `data`.
        data: Path, folder or glob; the contract's own source unless given.
        folder: Folder that a relative path starts from.
        accepted: Names of checks that a person accepted.

    Raises:
        ContractError: The contract has no section `data`, or no task.
        DataError: The data cannot be read.
    """
    section = contract.require_data()
    source = FileSource(data or section.source, folder=folder, form=section.format)
    table, _ = source.read()
    return validate(table, contract, accepted=accepted, source=data or section.source)


def validate_schema(schema: str, data: str, folder: Path) -> ValidationReport:
    """Check a file against a pandera schema.

    Args:
        schema: `file.py:name` of a `DataFrameSchema` or a `DataFrameModel`. The file is run: it is code.
        data: Path, folder or glob.
        folder: Folder that relative paths start from.

    Raises:
        UsageError: There is no such file or object, or it is no schema.
        DataError: The data cannot be read.
    """
    found = as_schema(_object(schema, folder), schema)
    source = FileSource(data, folder=folder)
    table, _ = source.read()
    form = source.text_form()
    decimal = "." if form is None else form.decimal
    return frame_report(plain_frame(table, decimal=decimal), found, source=data)


def _object(schema: str, folder: Path) -> Any:
    file, colon, name = schema.rpartition(":")
    path = folder / file
    if not colon or not name:
        raise UsageError(f"--schema {schema!r} names no object; write it as schemas.py:schema")
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if not path.is_file() or spec is None or spec.loader is None:
        raise UsageError(f"--schema: there is no Python file {path}")
    module = importlib.util.module_from_spec(spec)
    sys.modules.setdefault(path.stem, module)  # models look their annotations up there
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        raise UsageError(
            f"--schema: {path} does not run: {type(error).__name__}: {error}"
        ) from error
    if not hasattr(module, name):
        raise UsageError(f"--schema: {path} has no object {name!r}")
    return getattr(module, name)
