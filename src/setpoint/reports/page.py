"""One self-contained page: no script, no network, light or dark as the reader's device is, fit for print and phone."""

from typing import Any, Final

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from setpoint.clock import Axis
from setpoint.reports.glossary import glossary_of
from setpoint.reports.palette import DARK, LIGHT
from setpoint.reports.wording import (
    say_action,
    say_change,
    say_count,
    say_interval,
    say_limit,
    say_number,
    say_plain,
    say_reason,
    say_verdict,
    say_when,
)

_PAGES: Final = Environment(
    loader=PackageLoader("setpoint.reports", "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_PAGES.filters |= {
    "action": say_action,
    "change": say_change,
    "interval": say_interval,
    "limit": say_limit,
    "number": say_number,
    "plain": say_plain,
    "reason": say_reason,
    "verdict": say_verdict,
}
_PAGES.globals["count"] = say_count


_GLOSSARY: Final = "<!-- words -->"  # texts of the data cannot hold it: they are escaped


def page(template: str, *, title: str, axis: Axis = "time", **facts: Any) -> str:
    """Return a page.

    Args:
        template: Name of a template of this room, such as `replay.html`; it extends `page.html`.
        title: Title of the page.
        axis: What ticks on the page count.
        **facts: What the template shows. All text is escaped.
    """
    suits = {"light": _suit(LIGHT), "dark": _suit(DARK)}
    text = _PAGES.get_template(template).render(
        title=title, when=lambda tick: say_when(tick, axis), suits=suits, **facts
    )
    words = _PAGES.get_template("glossary.html").render(words=glossary_of(text))
    return text.replace(_GLOSSARY, words, 1)


def _suit(colours: dict[str, str]) -> Markup:
    return Markup(";").join(f"--{name}:{value}" for name, value in colours.items())
