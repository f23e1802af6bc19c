"""The page about what a gateway tells says what a gateway tells."""

import re
from pathlib import Path
from typing import get_args

import msgspec

from setpoint.clock import SystemClock
from setpoint.gateway.watching.access_log import AccessLine
from setpoint.gateway.wire.refusal import Kind
from setpoint.wiring.gateway import build_app
from setpoint.wiring.gateway_plan import GatewayPlan

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "observability.md").read_text(
    encoding="utf-8"
)
ROW = re.compile(r"^\| `([^`]+)` \|(.*)\|$", re.MULTILINE)


def table(head):
    """Return the rows of every table under a head, as name and further cells."""
    found = []
    for after in PAGE.split(head + "\n")[1:]:
        for line in after.splitlines()[1:]:
            match = ROW.match(line)
            if match is None:
                break
            found.append((match[1], *(cell.strip() for cell in match[2].split("|"))))
    return found


def test_every_metric_is_on_the_page_as_it_is_and_the_page_has_no_other(project):
    project.add(1)
    project.deploy(1, {1: 1.0})
    app = build_app(GatewayPlan(deployment=project.path), SystemClock())
    app.show_connections(lambda: 0)
    shown = {
        (
            metric.name + "_total" * (metric.kind == "counter"),
            metric.kind,
            ", ".join(metric.labels),
        )
        for metric in app._station.gauges._all
    }
    told = [row[:3] for row in table("| name | type | labels | says |")]
    assert len(told) == len(set(told))
    assert set(told) == shown


def test_every_kind_of_refusal_is_on_the_page():
    assert sorted(row[0] for row in table("| kind | status | the request |")) == sorted(
        get_args(Kind)
    )


def test_every_field_of_the_access_log_is_on_the_page_and_its_example_is_a_line():
    fields = [row[0] for row in table("| field | says |")]
    assert sorted(fields) == sorted(AccessLine.__struct_fields__)
    example = re.search(r"```json\n(.*)\n```", PAGE)[1]
    line = msgspec.json.decode(example, type=AccessLine, strict=True)
    assert msgspec.json.encode(line).decode() == example
