"""Which columns of a table a contract is about, what each is for, and of which type.

A contract that lists columns is about these, its protected columns, and those that its gates look at; other columns
of the table are ignored. A contract that lists none takes every column of the table as an input.
"""

from dataclasses import dataclass
from typing import Literal

import pyarrow as pa
import pyarrow.compute as pc

from setpoint.contract.contract import Contract
from setpoint.contract.data import Column, ColumnType, Data, Format
from setpoint.data.cells import NUMBER, WHOLE, flat, is_number, is_text, trimmed, type_cells

Role = Literal["input", "target", "time", "key", "kept"]

_FREE_TEXT_SHARE = 0.5  # of rows that are distinct: a category has far fewer
_FREE_TEXT_VALUES = 50
_PROBE = 2_000  # rows that are tried as dates before all are


@dataclass(frozen=True)
class ColumnUse:
    """One column that the contract is about.

    Args:
        name: Column name.
        type: Type to give its cells.
        role: `input` of the model, `target`, `time`, `key`, or `kept` for slices and fairness.
        rules: What the contract says of its values; empty where it says nothing.
    """

    name: str
    type: ColumnType
    role: Role
    rules: Column


def columns_of(contract: Contract, table: pa.Table) -> tuple[ColumnUse, ...]:
    """Return every column that the contract is about, in the contract's order, then the table's.

    Columns that the table lacks are among them where the contract gives their type.

    Args:
        contract: Has a section `data`.
        table: Raw or typed rows.

    Raises:
        ContractError: The contract has no section `data`, or no task.
    """
    data = contract.require_data()
    is_regression = contract.require_task() == "regression"
    names = _names(contract, data, table)
    known = set(table.column_names)
    found = []
    for name in names:
        rules = data.columns.get(name, Column())
        role = _role(name, rules, data)
        kind: ColumnType
        if role == "target":
            kind = "float" if is_regression else "category"
        elif role == "key":
            kind = "category"
        elif role == "time":
            kind = "datetime"
        elif rules.type is not None:
            kind = rules.type
        elif name in known:
            kind = guess_type(table.column(name), data.format)
        else:
            kind = "category"
        found.append(ColumnUse(name, kind, role, rules))
    return tuple(found)


def inputs_of(contract: Contract, table: pa.Table) -> tuple[ColumnUse, ...]:
    """Return the columns that are inputs of the model, in order."""
    return tuple(use for use in columns_of(contract, table) if use.role == "input")


def guess_type(column: pa.ChunkedArray, form: Format) -> ColumnType:
    """Return the narrowest type that every cell of a column fits."""
    kind = column.type
    if pa.types.is_boolean(kind):
        return "bool"
    if pa.types.is_timestamp(kind) or pa.types.is_date(kind):
        return "datetime"
    if is_number(kind):
        return "int" if pa.types.is_integer(kind) else "float"
    if not is_text(kind):
        return "text"
    return _type_of_text(trimmed(flat(column), form.nulls).drop_null(), form)


def _type_of_text(texts: pa.Array, form: Format) -> ColumnType:
    if len(texts) == 0:
        return "category"
    distinct = pc.unique(texts)
    lowered = set(pc.utf8_lower(distinct).slice(0, 3).to_pylist())
    if lowered <= {"true", "false"}:
        return "bool"
    plain = distinct
    if form.decimal == ",":
        plain = pc.replace_substring(pc.replace_substring(distinct, ".", ""), ",", ".")
    if pc.all(pc.match_substring_regex(plain, NUMBER)).as_py():
        whole = pc.all(pc.match_substring_regex(plain, WHOLE.replace(r"(?:\.0*)?", ""))).as_py()
        return "int" if whole else "float"
    for probe in (distinct.slice(0, _PROBE), distinct):
        if type_cells(pa.chunked_array([probe]), "datetime", form).bad.any():
            break
    else:
        return "datetime"
    is_free = len(distinct) > max(_FREE_TEXT_VALUES, _FREE_TEXT_SHARE * len(texts))
    return "text" if is_free else "category"


def _names(contract: Contract, data: Data, table: pa.Table) -> list[str]:
    if not data.columns:
        return list(dict.fromkeys([*table.column_names, *_named(data)]))
    looked_at = set(data.protected) | _in_gates(contract)
    listed = [name for name, rules in data.columns.items() if rules.use or name in looked_at]
    known = set(table.column_names)
    return list(
        dict.fromkeys([*listed, *_named(data), *(n for n in sorted(looked_at) if n in known)])
    )


def _named(data: Data) -> list[str]:
    return [name for name in (data.target, data.time, data.key) if name is not None]


def _in_gates(contract: Contract) -> set[str]:
    found: set[str] = set()
    for gate in contract.gates:
        found.update(getattr(gate, "slices", ()))
        found.update(
            getattr(gate, key)
            for key in ("attribute", "invariant_to", "directional")
            if hasattr(gate, key)
        )
    return found


def _role(name: str, rules: Column, data: Data) -> Role:
    if name == data.target:
        return "target"
    if name == data.time:
        return "time"
    if name == data.key:
        return "key"
    return "input" if rules.use else "kept"
