"""Conditions of triggers: `SIGNAL OP VALUE [for N windows]`, a closed grammar, parsed and never evaluated."""

import re
from dataclasses import dataclass
from difflib import get_close_matches
from typing import ClassVar, Literal, Self, cast, get_args

from setpoint.contract.metrics import MetricName
from setpoint.contract.scalar import Scalar, ScalarError
from setpoint.contract.shares import Change, Share, plain_decimal
from setpoint.contract.spans import Duration, Span

Op = Literal[">", ">=", "<", "<="]
Value = Share | Change | Duration | Span | float | int
Kind = Literal["share", "change", "duration", "span", "number", "count"]

GRAMMAR = """\
condition = signal, op, value, [ "for", count, ( "window" | "windows" ) ] ;
signal    = "drift.share" | "prediction.drift" | "performance.drop" | "performance.coverage"
          | "rows.new" | "rows.labelled" | "errors.rate" | "latency.p50" | "latency.p95"
          | "latency.p99" | "model.age"
          | "drift.", column | "nulls.", column | "performance.", metric ;
column    = name | "`", { any character but "`" }, "`" ;
name      = letter or "_", { letter | digit | "_" } ;
op        = ">" | ">=" | "<" | "<=" ;
value     = share (30% or 0.3) | change (5% or 0.05 abs) | duration (100ms) | span (30d or 1000 rows)
          | number | count, as the signal measures it ;
"""
"""The grammar in EBNF; blanks may stand between any two parts."""

SIGNALS: dict[str, tuple[Kind, str]] = {
    "drift.share": ("share", "share of columns that drifted"),
    "prediction.drift": ("share", "distance of the predictions from the reference"),
    "performance.drop": ("change", "fall of the metric below its value at release"),
    "performance.coverage": ("share", "share of predictions whose outcome is known"),
    "rows.new": ("count", "rows since the last fit"),
    "rows.labelled": ("count", "labelled rows since the last fit"),
    "errors.rate": ("share", "share of requests without an answer"),
    "latency.p50": ("duration", "median time to answer"),
    "latency.p95": ("duration", "95th percentile of the time to answer"),
    "latency.p99": ("duration", "99th percentile of the time to answer"),
    "model.age": ("span", "time or rows since the champion's fit"),
    "drift.<column>": ("share", "distance of one column from the reference"),
    "nulls.<column>": ("share", "share of missing values in one column"),
    "performance.<metric>": ("number", "value of one metric"),
}
"""What each signal measures: the kind of its value, and its meaning in words."""

_READERS: dict[Kind, type[Scalar]] = {
    "share": Share,
    "change": Change,
    "duration": Duration,
    "span": Span,
}
_CONDITION = re.compile(
    r"\s*(?P<family>[a-z]+)\.(?:`(?P<quoted>[^`\n]+)`|(?P<name>\w+))"
    r"\s*(?P<op>>=|<=|>|<)\s*(?P<value>[^<>=\s][^<>=]*?)"
    r"(?:\s+for\s+(?P<windows>\d{1,4})\s+windows?)?\s*"
)
_COUNT = re.compile(r"\d{1,15}", re.ASCII)
_NUMBER = re.compile(r"[-+]?(\d{1,15}(\.\d{0,15})?|\.\d{1,15})([eE][-+]?\d{1,2})?", re.ASCII)
_ALLOWED = "SIGNAL OP VALUE [for N windows], such as drift.share > 30% for 3 windows"


@dataclass(frozen=True, slots=True)
class Condition(Scalar):
    """A comparison of one signal with a value, that must hold for some windows in a row.

    Args:
        signal: A key of `SIGNALS`, such as `drift.share` or `drift.<column>`.
        subject: The column or metric, for signals that have one; None otherwise.
        op: How the signal is compared with the value.
        value: The limit, of the signal's kind.
        windows: For how many windows in a row it must hold, 1 or more.
    """

    signal: str
    subject: str | None
    op: Op
    value: Value
    windows: int = 1

    allowed: ClassVar[str] = _ALLOWED
    json_forms: ClassVar = (
        {
            "type": "string",
            "pattern": r"^\s*[a-z]+\.(`[^`\n]+`|\w+)\s*(>=|<=|>|<)\s*[^<>=\s][^<>=]*$",
        },
    )

    @property
    def name(self) -> str:
        """The measured quantity, as signals are named: `drift.share`, `drift.tenure`."""
        if self.subject is None:
            return self.signal
        return f"{self.signal.split('.')[0]}.{self.subject}"

    @property
    def kind(self) -> Kind:
        """What kind of value the signal has."""
        return SIGNALS[self.signal][0]

    @classmethod
    def read(cls, raw: object) -> Self:
        """Return the condition that a text says."""
        if not isinstance(raw, str):
            raise ScalarError("is not a condition", allowed=_ALLOWED)
        match = _CONDITION.fullmatch(raw)
        if match is None:
            raise ScalarError("is not a condition", allowed=_ALLOWED)
        signal, subject = _signal(match["family"], match["name"], match["quoted"])
        windows = int(match["windows"] or 1)
        if windows == 0:
            raise ScalarError("holds for 0 windows", allowed="for 1 window or more")
        value = _value(SIGNALS[signal][0], match["value"].strip())
        return cls(signal, subject, cast("Op", match["op"]), value, windows)

    def __str__(self) -> str:
        signal = self.signal
        if self.subject is not None:
            signal = f"{self.signal.split('.')[0]}.{_subject_text(self.signal, self.subject)}"
        value = self.value
        text = str(value) if isinstance(value, Scalar) else plain_decimal(value)
        tail = f" for {self.windows} windows" if self.windows > 1 else ""
        return f"{signal} {self.op} {text}{tail}"


def _signal(family: str, name: str | None, quoted: str | None) -> tuple[str, str | None]:
    if name is not None and f"{family}.{name}" in SIGNALS:
        return f"{family}.{name}", None
    subject = quoted if name is None else name
    if family in {"drift", "nulls"}:
        return f"{family}.<column>", subject
    if family == "performance" and subject in get_args(MetricName):
        return "performance.<metric>", subject
    name = f"{family}.{subject}"
    words = [one for one in SIGNALS if "<" not in one]
    words += [f"performance.{metric}" for metric in get_args(MetricName)]
    nearest = next(iter(get_close_matches(name, words, n=1)), "")
    raise ScalarError(f"has no signal {name}", allowed=", ".join(SIGNALS), nearest=nearest)


def _subject_text(signal: str, subject: str) -> str:
    family = signal.split(".", maxsplit=1)[0]
    if re.fullmatch(r"\w+", subject) and f"{family}.{subject}" not in SIGNALS:
        return subject
    return f"`{subject}`"


def _value(kind: Kind, text: str) -> Value:
    if kind == "count":
        if _COUNT.fullmatch(text):
            return int(text)
        raise ScalarError(f"compares with {text}", allowed="a whole number")
    if kind == "number" or (kind == "share" and _NUMBER.fullmatch(text)):
        if not _NUMBER.fullmatch(text):
            raise ScalarError(f"compares with {text}", allowed="a number")
        return Share(float(text)) if kind == "share" else float(text)
    try:
        return cast("Value", _READERS[kind].read(text))
    except ScalarError as error:
        raise ScalarError(
            f"compares with {text}, which {error.message}", allowed=error.allowed
        ) from error
