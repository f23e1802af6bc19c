"""Charts of one run as PNG: the ROC curve or the residuals, and which columns matter.

Written as Vega-Lite and drawn by vl-convert, without altair: importing altair takes longer than drawing both.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import vl_convert

from setpoint.facts.evidence import Evidence, Floats

_POINTS = 200  # of a curve; more cannot be seen
_DOTS = 1000  # of a scatter plot
_CLASSES = 8  # curves that one can tell apart
_BARS = 20
_BINARY = 2
_SCALE = 1.5  # device pixels for one of the chart's


def run_charts(evidence: Evidence, importance: Mapping[str, float]) -> dict[str, bytes]:
    """Return PNG images by file name; what cannot be drawn is left out.

    Args:
        evidence: What training measured on the gate's rows.
        importance: Permutation importance by column, largest first.
    """
    charts = {
        "roc.png": _roc(evidence),
        "residuals.png": _residuals(evidence),
        "importance.png": _importance(importance),
    }
    return {
        name: vl_convert.vegalite_to_png(chart, scale=_SCALE)
        for name, chart in charts.items()
        if chart is not None
    }


def roc_points(positive: np.ndarray[Any, Any], score: Floats) -> tuple[Floats, Floats]:
    """Return false and true positive rates, ascending from (0, 0) to (1, 1), with at most 200 points.

    Ties in the score move along both axes at once. Source: Fawcett, "An introduction to ROC analysis", Pattern
    Recognition Letters 27 (2006), algorithm 1.

    Args:
        positive: Whether each row is of the class, shape (n,); at least one is and one is not.
        score: Score of the class, shape (n,).
    """
    order = np.argsort(-score, kind="stable")
    hits, values = positive[order], score[order]
    ends = np.append(np.flatnonzero(np.diff(values)), len(values) - 1)
    true = np.append(0.0, np.cumsum(hits)[ends] / hits.sum())
    false = np.append(0.0, np.cumsum(~hits)[ends] / (~hits).sum())
    kept = np.unique(np.linspace(0, len(true) - 1, min(_POINTS, len(true))).round().astype(int))
    return false[kept], true[kept]


def _roc(evidence: Evidence) -> dict[str, Any] | None:
    probability, truth = evidence.candidate.probability, evidence.truth_label
    if not evidence.classes or probability.shape[1:] != (len(evidence.classes),):
        return None
    codes = [1] if len(evidence.classes) == _BINARY else range(min(len(evidence.classes), _CLASSES))
    values: list[dict[str, Any]] = []
    for code in codes:
        positive = truth == code
        if positive.all() or not positive.any():
            continue  # a curve needs rows of the class and others
        for false, true in zip(*roc_points(positive, probability[:, code]), strict=True):
            values.append(
                {"class": evidence.classes[code], "false": float(false), "true": float(true)}
            )
    if not values:
        return None
    axis = {"scale": {"domain": [0, 1]}}
    curve = {
        "data": {"values": values},
        "mark": {"type": "line", "interpolate": "linear"},
        "encoding": {
            "x": _field("false", "false positive rate", **axis),
            "y": _field("true", "true positive rate", **axis),
            "order": {"field": "false", "type": "quantitative"},
            "color": {"field": "class", "type": "nominal", "title": "class"},
        },
    }
    chance = {
        "data": {"values": [{"false": 0, "true": 0}, {"false": 1, "true": 1}]},
        "mark": {"type": "line", "strokeDash": [4, 4], "color": "#888"},
        "encoding": {"x": _field("false"), "y": _field("true")},
    }
    return _chart(f"ROC on {evidence.rows:,} test rows", layer=[chance, curve], height=320)


def _residuals(evidence: Evidence) -> dict[str, Any] | None:
    predicted, truth = evidence.candidate.value, evidence.truth_value
    if not len(truth) or len(predicted) != len(truth):
        return None
    # Evenly spread over the predictions, so that the ends are drawn too.
    chosen = np.argsort(predicted, kind="stable")
    kept = chosen[np.linspace(0, len(chosen) - 1, min(_DOTS, len(chosen))).round().astype(int)]
    values = [
        {"predicted": float(predicted[at]), "residual": float(truth[at] - predicted[at])}
        for at in kept
    ]
    dots = {
        "data": {"values": values},
        "mark": {"type": "point", "opacity": 0.4, "size": 14},
        "encoding": {
            "x": _field("predicted", "predicted", scale={"zero": False}),
            "y": _field("residual", "true minus predicted"),
        },
    }
    zero = {"data": {"values": [{"y": 0}]}, "mark": {"type": "rule", "color": "#888"}}
    zero["encoding"] = {"y": _field("y")}
    return _chart(f"Residuals on {evidence.rows:,} test rows", layer=[zero, dots], height=320)


def _importance(importance: Mapping[str, float]) -> dict[str, Any] | None:
    if not importance:
        return None
    largest = list(importance.items())[:_BARS]
    values = [{"column": name, "importance": value} for name, value in largest]
    encoding = {
        "y": {"field": "column", "type": "nominal", "sort": None, "title": None},
        "x": _field("importance", "rise of the loss when shuffled"),
    }
    return _chart("Permutation importance", data={"values": values}, mark="bar", encoding=encoding)


def _field(name: str, title: str | None = None, **more: Any) -> dict[str, Any]:
    return {"field": name, "type": "quantitative", "title": title, **more}


def _chart(title: str, **parts: Any) -> dict[str, Any]:
    schema = (
        "https://vega.github.io/schema/vega-lite/v5.json"  # names the language; nothing is fetched
    )
    return {"$schema": schema, "title": title, "width": 360, **parts}
