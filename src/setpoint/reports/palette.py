"""Colours of pages and charts in two suits, for light and dark paper."""

from typing import Final

# Okabe, Ito 2008, "Color universal design": told apart with any colour vision; every line has its own dash too.
LIGHT: Final[dict[str, str]] = {
    "paper": "#fffffe",
    "ink": "#1b1f24",
    "muted": "#5b6570",
    "faint": "#dfe3e8",
    "loop": "#0072b2",
    "scheduled": "#c75300",
    "static": "#00805c",
    "no_change": "#7a7f87",
    "good": "#1f7a4d",
    "bad": "#b3261e",
    "heat": "#b54700",
}
DARK: Final[dict[str, str]] = {
    "paper": "#14181d",
    "ink": "#e9edf1",
    "muted": "#a3adb8",
    "faint": "#2f363f",
    "loop": "#58b6f0",
    "scheduled": "#f5945c",
    "static": "#3ccf9f",
    "no_change": "#9aa3ad",
    "good": "#54c98b",
    "bad": "#ff8a80",
    "heat": "#ff9a5c",
}
