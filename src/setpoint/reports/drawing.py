"""How charts look and are drawn: altair definition → SVG or PNG, without network or browser.

Colours are named in two suits, for light and dark paper. A chart is defined in the light suit; `svg` hands the
colours to the page's style sheet, so that the same picture follows the reader's setting, and `png` stays light.
"""

import re
from typing import Any, Final

import altair as alt
import vl_convert
from markupsafe import Markup

from setpoint.clock import Axis
from setpoint.facts.replay import LineName
from setpoint.reports.palette import LIGHT

DASH: Final[dict[LineName, list[int]]] = {
    "loop": [1, 0],
    "scheduled": [7, 3],
    "static": [3, 2],
    "no_change": [1, 3],
}
WIDTH: Final = 780
"""Width of the plotting area of every chart, in pixels."""

_REFERENCE = re.compile(r'(\bid="|url\(#)(?=clip|gradient)')
_SIZE = re.compile(r' (?:width|height)="([\d.]+)"')
_MONTHS = (90 * 86_400.0, 4 * 365 * 86_400.0)  # seconds; between these, ticks are months
_SHORT_MONTH = "utcFormat(datum.value, utcmonth(datum.value) == 0 ? '%Y' : '%b')"
_SCALE = 1.5  # device pixels for one of the chart's, in a PNG


def svg(chart: alt.TopLevelMixin, *, name: str, title: str) -> Markup:
    """Return a chart as inline SVG whose colours come from the page's style sheet.

    Args:
        chart: The chart; it holds its own data.
        name: Sets its inner references apart from those of other charts on the page: letters only.
        title: What it shows, for people who hear the page.
    """
    text: str = vl_convert.vegalite_to_svg(_definition(chart))
    for colour, value in LIGHT.items():
        text = text.replace(f'"{value}"', f'"var(--{colour})"')
    text = _REFERENCE.sub(rf"\1{name}-", text)
    # The page makes it narrower where it must; the view box keeps the proportions.
    head, _, rest = text.partition(">")
    width = _SIZE.findall(head)[0]
    label = Markup('role="img" aria-label="{}" style="max-width:{}px"').format(title, width)
    return Markup(f"{_SIZE.sub('', head)} {label}>{rest}")  # noqa: S704  vl-convert escapes all text of the data


def png(chart: alt.TopLevelMixin) -> bytes:
    """Return a chart as a PNG picture on white paper."""
    definition = _definition(chart)
    definition["background"] = LIGHT["paper"]
    picture: bytes = vl_convert.vegalite_to_png(definition, scale=_SCALE)
    return picture


def tick_axis(axis: Axis, field: str, *, domain: tuple[float, float], shown: bool = True) -> alt.X:
    """Return the horizontal encoding of a field that holds ticks as `tick_value` gives them.

    Args:
        axis: What ticks count.
        field: Name of the field.
        domain: First and last tick of the chart, so that charts under each other line up.
        shown: Whether the axis is drawn.
    """
    low, high = (tick_value(tick, axis) for tick in domain)
    words: dict[str, Any] = {"title": None if axis == "time" else "row", "labelOverlap": "greedy"}
    if axis == "time" and _MONTHS[0] < domain[1] - domain[0] < _MONTHS[1]:
        words["labelExpr"] = _SHORT_MONTH
    drawn = alt.Axis(grid=False, labelSeparation=12, labelFlush=False, **words) if shown else None
    if axis == "time":
        scale = alt.Scale(type="utc", domain=[low, high], nice=False)
        return alt.X(field, type="temporal", axis=drawn, scale=scale)
    scale = alt.Scale(domain=[low, high], nice=False, zero=False)
    return alt.X(field, type="quantitative", axis=drawn, scale=scale)


def tick_value(tick: float, axis: Axis) -> float:
    """Return a tick as charts want it: milliseconds on the axis `time`, else the row."""
    return tick * 1000 if axis == "time" else tick


def _definition(chart: alt.TopLevelMixin) -> dict[str, Any]:
    definition: dict[str, Any] = chart.to_dict()
    text = {"labelColor": LIGHT["muted"], "titleColor": LIGHT["muted"], "labelFontSize": 11}
    definition["background"] = "transparent"
    definition["config"] = {
        "padding": {
            "left": 14,
            "right": 24,
            "top": 6,
            "bottom": 6,
        },  # where a page has only wider fonts
        "aria": False,  # one label for the picture; a label for each of 3,000 cells helps nobody
        "font": "Arial, Helvetica, Liberation Sans, sans-serif",  # all of one width, and measured so
        "view": {"stroke": None},
        "axis": {
            **text,
            "titleFontSize": 11,
            "titleFontWeight": "normal",
            "labelFlush": False,
            "gridColor": LIGHT["faint"],
            "domainColor": LIGHT["faint"],
            "tickColor": LIGHT["faint"],
        },
        "legend": {**text, "titleFontSize": 11, "titleFontWeight": "normal", "orient": "bottom"},
        "text": {"fontSize": 11, "color": LIGHT["ink"]},
    }
    return definition
