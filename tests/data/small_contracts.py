"""Small contracts for tests of this room."""

from typing import Any

from setpoint.contract.contract import Contract
from setpoint.contract.parse import from_plain


def contract(
    columns: dict[str, Any] | None = None, *, task: str = "binary", **data: Any
) -> Contract:
    train = data.pop("train", None)
    plain: dict[str, Any] = {
        "model": {"name": "m", "task": task},
        "data": {"source": "x.csv", "target": "y", **data},
    }
    if columns is not None:
        plain["data"]["columns"] = columns
    if train is not None:
        plain["train"] = train
    return from_plain(plain)
