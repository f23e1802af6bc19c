"""`/invocations`, `/ping` and `/version`: the doors of MLflow's scoring server, for its clients unchanged.

Shapes and statuses are MLflow's: what is wrong with a request is a 400 with `error_code` and `message`. So are two of
its habits: `NaN`, which is no JSON but what Python writes for a missing number, is null; and columns that the model
does not know are passed over.
"""

import re
from collections.abc import Sequence
from typing import Any

import msgspec

from setpoint.gateway.answering import Answered
from setpoint.gateway.rows.column_check import ColumnRule
from setpoint.gateway.rows.csv_rows import read_csv
from setpoint.gateway.rows.rows import Columns, Lists, Records, Rows, require_once
from setpoint.gateway.rows.schema import Schema
from setpoint.gateway.rows.typed_rows import typed_lists, typed_records
from setpoint.gateway.serving import Serving
from setpoint.gateway.station import Station
from setpoint.gateway.wire.exchange import Header, Request, Response, decode_json, refused
from setpoint.gateway.wire.patience import patience_s
from setpoint.gateway.wire.refusal import RefusedError, refuse

_FORMS = ("dataframe_split", "dataframe_records", "instances", "inputs")
_NAMED_IDS = 100  # prediction ids that a header takes
_TEXT_OR_NAN = re.compile(rb'"(?:[^"\\]++|\\.)*+"?|\bNaN\b', re.DOTALL)
_ERROR_CODES = {
    400: "BAD_REQUEST",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "RESOURCE_DOES_NOT_EXIST",
    429: "REQUEST_LIMIT_EXCEEDED",
    500: "INTERNAL_ERROR",
    503: "TEMPORARILY_UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}
_UNDECODED = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


class Invocation(msgspec.Struct, frozen=True, gc=False):
    """A body in one of the four forms; what it holds stays undecoded."""

    dataframe_split: msgspec.Raw = msgspec.Raw()
    dataframe_records: msgspec.Raw = msgspec.Raw()
    instances: msgspec.Raw = msgspec.Raw()
    inputs: msgspec.Raw = msgspec.Raw()
    params: msgspec.Raw = msgspec.Raw()


class Split(msgspec.Struct, frozen=True, gc=False, forbid_unknown_fields=True):
    """A plain `dataframe_split`; one with an index goes the slow way."""

    columns: list[str]
    data: msgspec.Raw


_decode = msgspec.json.Decoder(Invocation).decode
_decode_split = msgspec.json.Decoder(Split).decode


async def invocations(station: Station, request: Request) -> Response:
    """Answer rows with `{"predictions": …}`: the model's own labels, or its numbers."""
    serving = station.require_serving()
    rows = _read(request, serving, station.limits.rows)
    station.require_few(rows.count)
    answered = await station.answering.answer(
        serving,
        rows,
        request=request.request_id,
        trail=request.trail,
        pinned=serving.pinned(request),
        within_s=patience_s(request.headers),
    )
    return Response(
        200,
        msgspec.json.encode({"predictions": _predictions(answered)}),
        headers=_provenance(answered),
    )


async def ping(station: Station, request: Request) -> Response:
    """Say that a model is loaded, by the status alone."""
    del request
    station.require_serving()
    return Response(200, b"\n")


async def version(station: Station, request: Request) -> Response:
    """Return the version of the server."""
    del request
    return Response(200, station.release.encode(), b"text/plain; charset=utf-8")


def _read(request: Request, serving: Serving, most: int) -> Rows:
    """Return the rows of a request.

    Raises:
        RefusedError: 400 or 422, they cannot be read; 413, there are too many; 415, they are of another media type.
    """
    if _is_csv(request.header(b"content-type")):
        return read_csv(request.body, _rules(serving), most)
    return _read_typed(request.body, serving) or _read_slowly(request.body, serving)


def _rules(serving: Serving) -> dict[str, ColumnRule]:
    """Return what columns hold that somebody wants: the entity and the draw, every version, above all the champion."""
    champion = serving.champion
    others = (champion.schema.key, serving.deployment.sticky)
    rules = {name: ColumnRule(name=name, kind="text") for name in others}
    for version in (*serving.versions.values(), champion):
        rules |= {rule.name: rule for rule in version.schema.document.columns}
    return rules


def _is_csv(given: str) -> bool:
    """Return whether the media type is CSV; JSON is the other, and what an absent header means.

    Raises:
        RefusedError: 415; it is neither, or not in UTF-8.
    """
    kind, *parameters = (part.strip().lower() for part in given.split(";"))
    if any(parameter not in ("charset=utf-8", 'charset="utf-8"', "") for parameter in parameters):
        raise refuse(415, f"content type {given[:100]!r}: only the charset UTF-8 is supported")
    if kind not in ("", "application/json", "text/csv"):
        said = f"content type {given[:100]!r} is not one of application/json, text/csv"
        raise refuse(415, said)
    return kind == "text/csv"


def _read_typed(body: bytes, serving: Serving) -> Rows | None:
    """Return rows that fit the champion's contract as they are; None where they need the slow way."""
    try:
        found = _decode(body)
        raws = msgspec.structs.astuple(found)
        given = [(form, raw) for form, raw in zip(_FORMS, raws, strict=False) if bytes(raw)]
        if len(given) != 1 or bytes(found.params) not in (b"", b"{}", b"null"):
            return None
        ((form, raw),) = given
        if form == "dataframe_split":
            split = _decode_split(raw)
            if tuple(split.columns) != serving.champion.schema.names:
                return None
            raw = split.data
    except _UNDECODED:
        return None

    def again() -> Rows:
        return _read_slowly(body, serving)

    start = bytes(raw).lstrip()[1:].lstrip()[:1]
    if start == b"[" and form != "dataframe_records":
        return typed_lists(raw, serving, again)
    if start == b"{" and form != "dataframe_split":
        return typed_records(raw, serving, again)
    return None


def _read_slowly(body: bytes, serving: Serving) -> Rows:
    """Return rows in any of the forms.

    Raises:
        RefusedError: 400 the body has none or several of the forms, or parameters; 422 the rows have another shape.
    """
    content = decode_json(_without_nan(body))
    if not isinstance(content, dict):
        raise refuse(400, f"the body must be an object with one of {', '.join(_FORMS)}")
    forms = [form for form in _FORMS if form in content]
    if len(forms) != 1:
        found = " and ".join(forms) or "none"
        raise refuse(400, f"the body must have exactly one of {', '.join(_FORMS)}; it has {found}")
    if content.get("params") not in (None, {}):
        raise refuse(400, "the model takes no params; leave them out")
    form = forms[0]
    given = content[form]
    if form == "dataframe_split":
        return _split_rows(given)
    if form == "dataframe_records":
        return _records(given, form)
    return _tensor_rows(given, form, serving.champion.schema)


def _without_nan(body: bytes) -> bytes:
    """Return JSON with null for every NaN outside of texts."""
    if b"NaN" not in body:
        return body
    return _TEXT_OR_NAN.sub(lambda found: b"null" if found[0] == b"NaN" else found[0], body)


def _split_rows(given: Any) -> Rows:
    """Return the rows of a `dataframe_split`."""
    if not isinstance(given, dict):
        raise refuse(422, "dataframe_split must be an object with columns and data")
    if unknown := sorted(given.keys() - {"columns", "data", "index"}):
        said = f"dataframe_split has columns, data and index, not {unknown[0][:60]!r}"
        raise refuse(422, said)
    columns, data, index = given.get("columns"), given.get("data"), given.get("index")
    if not isinstance(columns, list) or not all(isinstance(name, str) for name in columns):
        raise refuse(422, "dataframe_split needs columns, a list of names")
    if not isinstance(data, list) or not data:
        raise refuse(422, "dataframe_split needs data, a list of rows")
    for number, row in enumerate(data):
        if not isinstance(row, list) or len(row) != len(columns):
            size = f"{len(row)} values" if isinstance(row, list) else "no list"
            raise refuse(422, f"has {size}, there are {len(columns)} columns", row=number)
    if index is not None and (not isinstance(index, list) or len(index) != len(data)):
        raise refuse(422, f"dataframe_split has an index that is not of its {len(data)} rows")
    require_once(columns)
    return Columns(dict(zip(columns, zip(*data, strict=True), strict=True)), len(data))


def _records(given: Any, form: str) -> Rows:
    """Return rows that are a list of objects."""
    if not isinstance(given, list) or not given:
        raise refuse(422, f"{form} must be a list of rows")
    for number, row in enumerate(given):
        if not isinstance(row, dict):
            raise refuse(422, f"{form} must be a list of objects, or of nothing else", row=number)
    return Records(given)


def _tensor_rows(given: Any, form: str, schema: Schema) -> Rows:
    """Return the rows of `instances` or `inputs`: objects, lists in the order of the columns, or a list a column."""
    if isinstance(given, dict):
        return _columns(given, form)
    if not isinstance(given, list) or not given:
        raise refuse(
            422, f"{form} must be a list of rows, or an object with a list for each column"
        )
    if any(isinstance(row, dict) for row in given):
        return _records(given, form)
    if all(isinstance(row, list) for row in given):
        return Lists(given)
    if len(schema.names) == 1 and not any(isinstance(value, list) for value in given):
        return Columns({schema.names[0]: given}, len(given))
    names = ", ".join(schema.names[:20])
    raise refuse(422, f"{form} must have a list or an object for each row, of the columns {names}")


def _columns(given: dict[str, Any], form: str) -> Rows:
    """Return rows that are a list for each column, or one value for each."""
    if not given:
        raise refuse(422, f"{form} has no columns")
    if not any(isinstance(values, list) for values in given.values()):
        return Records([given])
    count = max(len(values) for values in given.values() if isinstance(values, list))
    for name, values in given.items():
        if not isinstance(values, list) or len(values) != count:
            size = f"{len(values)} values" if isinstance(values, list) else "one value"
            raise refuse(422, f"has {size}, another column has {count}", column=name[:60])
    if not count:
        raise refuse(422, f"{form} has no rows")
    return Columns({name: _flattened(values) for name, values in given.items()}, count)


def _flattened(values: Sequence[Any]) -> Sequence[Any]:
    """Return a column of shape (n, 1) as one of shape (n,)."""
    if all(isinstance(value, list) and len(value) == 1 for value in values):
        return [value[0] for value in values]
    return values


def _predictions(answered: Answered) -> Sequence[Any]:
    """Return what the model itself would have answered: its own labels, or numbers."""
    own = answered.schema.own_classes
    return [own[code] for code in answered.decided.codes] if own else answered.decided.labels


def _provenance(answered: Answered) -> list[Header]:
    """Return where the answer comes from: MLflow's body has no place for it."""
    headers = [
        (b"x-setpoint-version", answered.choice.version.text.encode()),
        (b"x-setpoint-variant", answered.choice.variant.encode()),
    ]
    if len(answered.ids) <= _NAMED_IDS:
        headers.append((b"x-setpoint-prediction-id", ",".join(answered.ids).encode()))
    return headers


def answer_refusal(refusal: RefusedError) -> Response:
    """Return a refusal as MLflow's server words it."""
    status = 400 if refusal.status == 422 else refusal.status  # noqa: PLR2004 (a row that breaks a rule)
    content = {
        "error_code": _ERROR_CODES.get(status, "BAD_REQUEST"),
        "message": str(refusal),
        "detail": refusal.flaws,
    }
    return refused(refusal, status, content)
