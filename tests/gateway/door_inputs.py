"""Requests for every door, sound and broken, with what they must be answered by a reference that shares no code."""

import io
import json
import math
import struct
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from hypothesis import strategies as st

NAMES = ("tenure", "charges", "paperless", "plan", "region")
FLOAT32_MAX = 3.4028234663852886e38
INFER = "/v2/models/churn/infer"
_NEAR = 1e-3  # of one half, where float32 may decide otherwise


@dataclass(frozen=True)
class Asked:
    """One request.

    Args:
        path: Its door.
        body: Its body.
        rows: The rows that it says, by column; empty where it says none in particular.
        sound: Whether it must be answered (True), refused (False), or may be either (None).
        headers: Its headers.
    """

    path: str
    body: bytes
    rows: tuple = ()
    sound: bool | None = None
    headers: dict = field(default_factory=dict)


class Reference:
    """The fitted pipeline's formula, written out.

    Args:
        pipeline: A one-hot encoder for the texts, and a logistic regression.
    """

    def __init__(self, pipeline):
        encoder, model = (step for _, step in pipeline.steps)
        weights = iter(model.coef_[0])
        self._bias = model.intercept_[0]
        self._numbers = {name: next(weights) for name in ("tenure", "charges", "paperless")}
        levels = encoder.named_transformers_["texts"].categories_
        self._texts = {
            name: {_level(level): next(weights) for level in found}
            for name, found in zip(("plan", "region"), levels, strict=True)
        }

    def probability(self, row):
        """Return the probability of Yes."""
        score = self._bias + sum(
            float(row[name]) * weight for name, weight in self._numbers.items()
        )
        for name, weights in self._texts.items():
            score += weights.get(_text(row[name]), 0.0)
        return 1 / (1 + math.exp(-score)) if score > -700 else 0.0


def _level(level):
    return None if isinstance(level, float) and math.isnan(level) else level


def _text(value):
    if value is None or value == "":
        return None
    return str(value).lower() if isinstance(value, bool) else str(value)


def is_sound(row):
    """Return whether a row keeps the rules of the contract, read off its text once more."""
    tenure, charges, paperless, plan, region = (row[name] for name in NAMES)
    numbers = (tenure, charges)
    if any(isinstance(one, bool) or not isinstance(one, int | float) for one in numbers):
        return False
    if not 0 <= tenure <= 120 or tenure != int(tenure) or not 0 <= charges <= FLOAT32_MAX:
        return False
    if not isinstance(paperless, bool | int | float) or paperless not in (0, 1):
        return False
    if plan not in (None, "", "monthly", "yearly"):
        return False
    return region is None or isinstance(region, bool | int) or (
        isinstance(region, str) and "\0" not in region
    )  # fmt: skip


def check(asked, status, headers, body, reference):
    """Raise unless a request was answered as it must be: never 5xx, never wrong, never refused without a reason."""
    what = (asked, status, body[:300])
    assert status < 500, what
    if status != 200:
        assert asked.sound is not True, what
        content = json.loads(body)
        assert content.get("error") or content.get("message"), what
        assert content["detail"][0]["reason"], what
        return
    assert asked.sound is not False, what
    if asked.rows:
        expected = [reference.probability(row) for row in asked.rows]
        _compare(_answers(asked.path, headers, body), expected, what)


def _compare(answers, expected, what):
    assert len(answers) == len(expected), what
    for answer, probability in zip(answers, expected, strict=True):
        if isinstance(answer, str):
            assert answer == ("Yes" if probability >= 0.5 else "No") or (
                abs(probability - 0.5) < _NEAR
            ), what
        else:
            assert abs(answer - probability) < _NEAR, (*what, expected)


def _answers(path, headers, body):
    """Return probabilities of Yes, or labels, row by row."""
    size = headers.get("inference-header-content-length")
    content = json.loads(body if size is None else body[: int(size)])
    if path == "/invocations":
        return content["predictions"]
    if path != INFER:
        found = content.get("probability", content.get("probabilities"))
        return found if isinstance(found, list) else [found]
    sizes = [output["parameters"]["binary_data_size"] for output in content["outputs"] if size]
    (place,) = (
        place for place, one in enumerate(content["outputs"]) if one["name"] == "probability"
    )
    data = content["outputs"][place].get("data")
    if size is not None:
        start = int(size) + sum(sizes[:place])
        data = np.frombuffer(body[start : start + sizes[place]], "<f8").tolist()
    return data[1::2]


plain_rows = st.fixed_dictionaries(
    {
        "tenure": st.integers(0, 120),
        "charges": st.floats(0, 1000).map(lambda value: round(value, 2)),
        "paperless": st.booleans(),
        "plan": st.sampled_from(["monthly", "yearly", None]),
        "region": st.sampled_from(["north", "south", "süd", None]),
    }
)
_cells = {
    "tenure": st.one_of(
        st.integers(-1, 121),
        st.integers(0, 120).map(float),
        st.sampled_from([None, "3", True, 3.5, 10**30, -0.0, [3, 4], {}, 2**53, 1e300]),
    ),
    "charges": st.one_of(
        st.floats(-1, 1e6),
        st.integers(0, 10**20),
        st.sampled_from([None, "7", False, FLOAT32_MAX, 1e39, 5e-324, -0.0, 10**400, []]),
    ),
    "paperless": st.sampled_from([True, False, 0, 1, 0.0, 1.0, 2, None, "yes", "true", 0.5]),
    "plan": st.sampled_from(["monthly", "yearly", None, "", "Monthly", "weekly", 1, True, 0.5]),
    "region": st.one_of(
        st.text(st.characters(exclude_categories=["Cs"]), max_size=5),
        st.sampled_from([None, "", 3, True, 2.5, "a\0b", "NaN", "\x7f", '"', {}, []]),
    ),
}
edge_rows = st.fixed_dictionaries(_cells)
nearly_plain = st.builds(
    lambda row, edge, name: row | {name: edge[name]}, plain_rows, edge_rows, st.sampled_from(NAMES)
)
batches = st.one_of(
    st.lists(plain_rows, min_size=1, max_size=4),
    st.lists(st.one_of(plain_rows, nearly_plain), min_size=1, max_size=3),
    st.lists(edge_rows, min_size=1, max_size=2),
)


def _values(rows):
    return [[row[name] for name in NAMES] for row in rows]


def _columns(rows):
    return {name: [row[name] for row in rows] for name in NAMES}


def _split(rows):
    return {"dataframe_split": {"columns": NAMES, "data": _values(rows)}}


def _turned(rows):
    """A split whose columns stand in another order, beside one that nobody knows."""
    data = [[*reversed(values), "?"] for values in _values(rows)]
    return {"dataframe_split": {"columns": [*reversed(NAMES), "else"], "data": data}}


FORMS = {
    "/predict": (
        lambda rows: {"features": _values(rows)},
        lambda rows: {"instances": rows},
        lambda rows: {"features": rows, "customer_id": 1},
        _values,
        list,
        lambda rows: rows[0] | {"customer_id": "C-1"},
        lambda rows: {"features": _values(rows)[0]},
    ),
    "/v1/predict": (_values, list, lambda rows: {"instances": _values(rows)}),
    "/invocations": (
        _split,
        _turned,
        lambda rows: {"dataframe_records": [row | {"else": {}} for row in rows]},
        lambda rows: {"instances": rows},
        lambda rows: {"inputs": _values(rows), "params": {}},
        lambda rows: {"inputs": _columns(rows)},
    ),
}
_SINGLE = (5, 6)  # forms of /predict that hold one row


@st.composite
def row_requests(draw):
    """Rows in JSON, in any form of any door for rows."""
    path = draw(st.sampled_from(list(FORMS)))
    number = draw(st.integers(0, len(FORMS[path]) - 1))
    rows = draw(batches)
    if path == "/predict" and number in _SINGLE:
        rows = rows[:1]
    text = json.dumps(FORMS[path][number](rows), ensure_ascii=draw(st.booleans()))
    return Asked(path, text.encode(), tuple(rows), all(map(is_sound, rows)))


@st.composite
def csv_requests(draw):
    """Plain rows as pandas writes them."""
    rows = draw(st.lists(plain_rows, min_size=1, max_size=4))
    frame = pd.DataFrame(rows, columns=list(NAMES)).astype({"plan": object, "region": object})
    text = io.StringIO()
    frame.to_csv(text, index=draw(st.booleans()))
    headers = {"content-type": "text/csv"}
    return Asked("/invocations", text.getvalue().encode(), tuple(rows), True, headers)


_DATATYPES = {bool: "BOOL", int: "INT64", float: "FP64", str: "BYTES"}
_NATURAL = {"tenure": int, "charges": float, "paperless": bool, "plan": str, "region": str}
_PACKED = {"INT64": "q", "FP64": "d", "BOOL": "?"}


@st.composite
def tensor_requests(draw):
    """Rows as one tensor a column, in JSON or as bytes, answered in either."""
    rows = draw(batches)
    binary = draw(st.booleans())
    inputs, behind, sound = [], b"", all(map(is_sound, rows))
    for name in NAMES:
        values = [row[name] for row in rows]
        kinds = {type(value) for value in values if value is not None} or {_NATURAL[name]}
        datatype = _DATATYPES.get(next(iter(kinds)), "FP64")
        if kinds == {int, float}:
            datatype = "FP64"
        elif len(kinds) > 1:
            sound = False
        shape = [len(rows), 1] if draw(st.booleans()) else [len(rows)]
        tensor = {"name": name, "shape": shape, "datatype": datatype, "data": values}
        inputs.append(tensor)
        if binary and (part := _packed(datatype, values)) is not None:
            del tensor["data"]
            tensor["parameters"] = {"binary_data_size": len(part)}
            behind += part
    body = {"inputs": inputs, "parameters": {"binary_data_output": draw(st.booleans())}}
    text = json.dumps(body).encode()
    headers = {"inference-header-content-length": str(len(text))} if behind or binary else {}
    return Asked(INFER, text + behind, tuple(rows), sound, headers)


def _packed(datatype, values):
    """Return values as bytes, or None where bytes cannot say them."""
    kinds = {type(value) for value in values}
    if kinds - {kind for kind, name in _DATATYPES.items() if name == datatype}:
        return None
    if datatype == "BYTES":
        texts = [value.encode() for value in values]
        return b"".join(struct.pack("<I", len(text)) + text for text in texts)
    try:
        return struct.pack(f"<{len(values)}{_PACKED[datatype]}", *values)
    except struct.error:
        return None


_scalars = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8),
    st.integers(-(10**400), 10**400), st.sampled_from(["monthly", "\ud800", "\0", "Yes"]),
)  # fmt: skip
_keys = st.one_of(
    st.sampled_from(
        [*NAMES, "customer_id", "features", "instances", "inputs", "params", "columns", "data", "index",
         "dataframe_split", "dataframe_records", "name", "shape", "datatype", "parameters", "outputs", "id",
         "binary_data_size", "outcomes", "prediction_id", "outcome"]
    ),
    st.text(max_size=6),
)  # fmt: skip
_trees = st.recursive(
    _scalars,
    lambda inner: st.one_of(st.lists(inner, max_size=5), st.dictionaries(_keys, inner, max_size=6)),
    max_leaves=20,
)
_paths = st.sampled_from([*FORMS, INFER, "/outcomes"])


@st.composite
def tree_requests(draw):
    """Any JSON at all, with the words that doors know."""
    body = json.dumps(draw(_trees)).encode()
    return Asked(draw(_paths), body)


@st.composite
def broken_requests(draw):
    """A sound request with a piece cut out, doubled or overwritten: most often no JSON any more."""
    asked = draw(st.one_of(row_requests(), csv_requests(), tensor_requests()))
    body = asked.body
    start = draw(st.integers(0, len(body)))
    end = draw(st.integers(start, min(len(body), start + 8)))
    piece = draw(st.one_of(st.binary(max_size=4), st.just(body[start:end] * 2)))
    path = draw(st.sampled_from([asked.path, "/outcomes", INFER]))
    return Asked(path, body[:start] + piece + body[end:], (), None, asked.headers)


requests = st.one_of(
    row_requests(), row_requests(), csv_requests(), tensor_requests(), tree_requests(), broken_requests()
)  # fmt: skip
"""A request for any door."""
