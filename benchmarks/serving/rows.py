"""The row that is posted, in the shapes that servers take."""

import json
from collections.abc import Sequence

COLUMNS = tuple(f"f{place:02d}" for place in range(30))
"""Names of the columns."""


def listed(row: Sequence[float]) -> bytes:
    """Return `{"row": [...]}`."""
    return json.dumps({"row": list(row)}).encode()


def flat(row: Sequence[float]) -> bytes:
    """Return a flat object: one name a column."""
    return json.dumps(dict(zip(COLUMNS, row, strict=True))).encode()


def tensor(row: Sequence[float], name: str = "input") -> bytes:
    """Return a body of the Open Inference Protocol, version 2, with one tensor of whole rows."""
    shape = [1, len(row)]
    entry = {"name": name, "shape": shape, "datatype": "FP64", "data": list(row)}
    return json.dumps({"inputs": [entry]}).encode()


def split(row: Sequence[float]) -> bytes:
    """Return MLflow's `dataframe_split`."""
    return json.dumps({"dataframe_split": {"columns": COLUMNS, "data": [list(row)]}}).encode()
