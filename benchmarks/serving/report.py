"""One report of a measurement: a table for the terminal, JSON, and a page with a plot."""

import html
import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import altair as alt
import vl_convert

from benchmarks.serving.disk import Disk, median_disk
from benchmarks.serving.goals import Goal, best_of
from benchmarks.serving.turns import Figure, Run, by_server, figures, plain

_WIDTH = 520
_KINDS = ("setpoint", "floor", "peer")
_COLOURS = ("#0072b2", "#1b1f24", "#d55e00")  # Okabe, Ito 2008: told apart with any colour vision
_HEAD = (
    f"{'server':<26}{'answers/s':>10}{'low-high':>16}{'of floor':>10}{'x peer':>8}"
    f"{'p50 ms':>9}{'p99 ms':>9}{'cpu µs':>9}{'errors':>8}{'others':>8}"
)


@dataclass(frozen=True)
class Measured:
    """What was found of one model.

    Args:
        model: `forest` or `logistic`.
        runs: All runs, each server by itself.
        beside: Runs of the gateway and the floor, which stayed up beside each other.
        disks: The disk under the log, before the first turn and before each of the latter.
        goals: The goals, judged.
    """

    model: str
    runs: Sequence[Run]
    beside: Sequence[Run]
    disks: Sequence[Disk]
    goals: Sequence[Goal]

    @property
    def figures(self) -> Sequence[Figure]:
        """Medians by server and connections."""
        return figures(self.runs)

    @property
    def disk(self) -> Disk:
        """The median disk."""
        return median_disk(self.disks)


def table(found: Measured, *, floor: str, peers: Sequence[str]) -> str:
    """Return the figures of one model as text: a block for each number of connections, fastest first."""
    lines = []
    medians = found.figures
    for connections in sorted({figure.connections for figure in medians}):
        here = by_server(medians, connections)
        best = best_of(here, peers)
        lines += [f"{found.model}, {connections} connection{'s' * (connections > 1)}", _HEAD]
        for one in sorted(here.values(), key=lambda figure: -figure.rate):
            of_floor = one.rate / here[floor].rate if floor in here else None
            of_peer = one.rate / here[best].rate if best else None
            lines.append(_line(one, of_floor, of_peer))
        lines.append("")
    for one in figures(found.beside):
        lines.append(
            f"beside each other, at {one.connections:>2}: {one.server:<22} "
            f"{one.rate:>8,.0f}/s, p50 {one.p50_ms:.2f} ms, p99 {one.p99_ms:.2f} ms"
        )
    lines.append(
        f"fsync of one page: p50 {found.disk.p50_ms:.2f} ms, p99 {found.disk.p99_ms:.2f} ms"
    )
    return "\n".join(lines)


def _line(one: Figure, of_floor: float | None, of_peer: float | None) -> str:
    floor = "-" if of_floor is None else f"{of_floor:.0%}"
    peer = "-" if of_peer is None else f"{of_peer:.1f}"
    span = f"{one.low:,.0f}-{one.high:,.0f}"
    return (
        f"{one.server:<26}{one.rate:>10,.0f}{span:>16}{floor:>10}{peer:>8}"
        f"{one.p50_ms:>9.3f}{one.p99_ms:>9.2f}{one.cpu_us:>9.1f}{one.errors:>8}{one.others:>8.2f}"
    )


def goal_lines(found: Sequence[Goal]) -> str:
    """Return the goals as text, one a line."""
    return "\n".join(_goal_line(goal) for goal in found)


def _goal_line(goal: Goal) -> str:
    measured = "-" if goal.found is None else f"{goal.found:.2f}"
    sign = ">=" if goal.at_least else "<="
    wanted = "" if goal.found is None else f" ({sign} {goal.limit:.2f})"
    low, high = goal.span
    span = "" if goal.found is None else f", in {len(goal.values)} turns {low:.2f} to {high:.2f}"
    cpu = "" if goal.by_cpu is None else f"; by processor time {goal.by_cpu:.2f}"
    return f"{goal.verdict:<13}{goal.model:<9} {goal.text}: {measured}{wanted}{span}{cpu}"


def write_json(found: Sequence[Measured], about: str, path: Path) -> None:
    """Write everything as JSON."""
    models = [
        {
            "model": one.model,
            "figures": plain(one.figures),
            "runs": plain(one.runs),
            "beside": plain(one.beside),
            "fsync_ms": asdict(one.disk),
            "fsync_ms_each": [asdict(disk) for disk in one.disks],
            "goals": [_goal(goal) for goal in one.goals],
        }
        for one in found
    ]
    path.write_text(json.dumps({"about": about, "models": models}, indent=2) + "\n")


def _goal(goal: Goal) -> dict[str, object]:
    """Return a goal as plain data."""
    return {
        **asdict(goal),
        "values": [_finite(value) for value in goal.values],
        "found": None if goal.found is None else _finite(goal.found),
        "span": [_finite(end) for end in goal.span],
        "verdict": goal.verdict,
    }


def _finite(value: float) -> float | None:
    """Return a number as JSON can have it: None where it has no bound."""
    return value if math.isfinite(value) else None


def write_page(found: Sequence[Measured], about: str, text: str, path: Path) -> None:
    """Write a page that needs nothing else: the plots, and the same text as in the terminal."""
    plots = "".join(
        f"<h2>{html.escape(one.model)}</h2>{vl_convert.vegalite_to_svg(_chart(one).to_dict())}"
        for one in found
    )
    path.write_text(
        '<!doctype html><html lang="en"><meta charset="utf-8"><title>Serving</title>'
        "<style>body{font:15px system-ui;margin:2rem;max-width:80rem}pre{overflow:auto}</style>"
        f"<h1>Serving</h1><p>{html.escape(about)}</p>{plots}<pre>{html.escape(text)}</pre></html>\n"
    )


def _chart(found: Measured) -> alt.Chart:
    """Return the medians of answers per second with their lowest and highest turns, a plot for each load.

    The scale is logarithmic, so these are points and not bars: a length would mean nothing.
    """
    values = [
        {
            "server": one.server,
            "kind": one.server.partition(" ")[0].strip(",") if _is_ours(one.server) else "peer",
            "connections": one.connections,
            "rate": one.rate,
            "low": one.low,
            "high": one.high,
            "label": f"{one.rate:,.0f}",
        }
        for one in found.figures
    ]
    scale = alt.Scale(type="log", nice=False, padding=40)
    base = alt.Chart(alt.Data(values=values)).encode(
        y=alt.Y("server:N", sort=alt.SortField("rate", order="descending"), title=None),
        color=alt.Color("kind:N", title=None, scale=alt.Scale(domain=_KINDS, range=_COLOURS)),
    )
    spans = base.mark_rule(strokeWidth=2).encode(
        x=alt.X("low:Q", title="answers per second", scale=scale), x2="high:Q"
    )
    points = base.mark_point(filled=True, size=60, opacity=1).encode(x=alt.X("rate:Q", scale=scale))
    labels = base.mark_text(dy=-9, fontSize=10).encode(
        x=alt.X("rate:Q", scale=scale), text="label:N"
    )
    head = alt.Header(labelAngle=0, labelAlign="left", labelExpr="'at ' + datum.label")
    return (
        (spans + points + labels)
        .properties(width=_WIDTH, height=alt.Step(26))
        .facet(row=alt.Row("connections:Q", title="connections", header=head))
        .resolve_scale(y="independent")
    )


def _is_ours(server: str) -> bool:
    return server.startswith(_KINDS[:2])
