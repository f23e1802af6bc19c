"""Contracts that pages show can be read, and what they show of Setpoint's words is what it says."""

import re
from pathlib import Path

import pytest

from setpoint.contract.gates import GATE_TYPES
from setpoint.contract.parse import parse

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
BLOCKS = [
    (page, number, text)
    for page in PAGES
    for number, (language, text) in enumerate(FENCE.findall(page.read_text(encoding="utf-8")))
    if language == "yaml"
]


@pytest.mark.parametrize(
    ("page", "text"),
    [(page, text) for page, _, text in BLOCKS],
    ids=[f"{page.name}-{number}" for page, number, _ in BLOCKS],
)
def test_a_contract_that_a_page_shows_can_be_read(page, text):
    assert parse(text, file=page.name).model.name


def test_the_readme_shows_a_contract():
    assert any(page.name == "README.md" for page, _, _ in BLOCKS)


def test_the_readme_names_the_four_verdicts_and_the_five_exit_codes():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    for verdict in ("pass", "fail", "inconclusive", "error"):
        assert f"| `{verdict}` |" in text
    assert [int(code) for code in re.findall(r"^\| (\d) \|", text, re.MULTILINE)] == [0, 1, 2, 3, 4]


def test_the_changelog_counts_the_gates_there_are():
    assert len(GATE_TYPES) == 10
    assert "Ten kinds of gates" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
