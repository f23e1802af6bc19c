"""`/docs`: the OpenAPI document as a plain page, without a script: a request sent from it would be logged as real."""

import json
from html import escape
from typing import Any

from setpoint.gateway.doors.openapi import describe
from setpoint.gateway.rows.row_schema import listed_texts
from setpoint.gateway.rows.schema import Schema
from setpoint.gateway.station import Station
from setpoint.gateway.wire.exchange import Request, Response

_HTML = b"text/html; charset=utf-8"
_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 60rem; padding: 0 1rem;
       color: #1b1f24; background: #fff }
h1 { margin-bottom: 0 } code, pre { font: 14px/1.4 ui-monospace, monospace }
pre { background: #f4f5f7; padding: .75rem; overflow-x: auto } details { margin: .5rem 0 }
table { border-collapse: collapse } th, td { text-align: left; padding: .25rem 1rem .25rem 0;
       border-bottom: 1px solid #d8dce1; vertical-align: top }
@media (prefers-color-scheme: dark) { body { color: #e4e7eb; background: #16191d }
       pre { background: #22262c } th, td { border-color: #3a4048 } }
"""
_LISTED = 20


async def docs(station: Station, request: Request) -> Response:
    """Return the page."""
    del request
    serving = station.require_serving()
    document = describe(serving, station)
    title = escape(document["info"]["title"])
    doors = "\n".join(
        _door(path, method.upper(), door)
        for path, methods in document["paths"].items()
        for method, door in methods.items()
    )
    page = f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{title}</title><style>{_STYLE}</style></head><body>
<h1>{title}</h1>
<p>{escape(document["info"]["description"])} For machines: <a href="openapi.json">openapi.json</a>.</p>
<h2>What a row must have</h2>
{_columns(serving.champion.schema)}
<h2>Doors</h2>
{doors}
</body></html>
"""
    return Response(200, page.encode("utf-8", "replace"), _HTML)


def _columns(schema: Schema) -> str:
    """Return the table of the columns, in the order of a row that is a list."""
    rows = []
    for rule in schema.document.columns:
        texts = listed_texts(rule)
        allowed = ", ".join(texts[:_LISTED]) + (", …" if len(texts) > _LISTED else "")
        if rule.min is not None or rule.max is not None:
            low = "" if rule.min is None else f"{rule.min:g}"
            high = "" if rule.max is None else f"{rule.max:g}"
            allowed = f"{low} … {high}"
        cells = (rule.name, rule.kind, allowed, "yes" if rule.nullable else "no")
        rows.append("".join(f"<td>{escape(cell)}</td>" for cell in cells))
    body = "".join(f"<tr>{row}</tr>\n" for row in rows)
    head = "<tr><th>column</th><th>kind</th><th>allowed</th><th>may be null</th></tr>"
    return f"<table>\n{head}\n{body}</table>"


def _door(path: str, method: str, door: dict[str, Any]) -> str:
    """Return one door, with an example where it takes a body."""
    title = f"<code>{method} {escape(path)}</code>: {escape(door['summary'])}"
    if "requestBody" not in door:
        return f"<p>{title}</p>"
    examples = []
    for media, content in door["requestBody"]["content"].items():
        for name, example in content["examples"].items():
            value = example["value"]
            body = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
            examples.append(f"<p>{escape(name)}, {escape(media)}</p><pre>{escape(body)}</pre>")
    return f"<details><summary>{title}</summary>{''.join(examples)}</details>"
