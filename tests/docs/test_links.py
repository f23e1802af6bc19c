"""Links lead somewhere, and the records of decisions are numbered and listed."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
ADR = ROOT / "docs" / "adr"
RECORDS = sorted(ADR.glob("[0-9]*.md"))


def anchors(text):
    """Return the anchors of a page's headings, as GitHub makes them."""
    heads = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


def test_every_link_leads_to_a_file_and_a_heading_that_exist(page):
    for link in LINK.findall(page.read_text(encoding="utf-8")):
        if "://" in link:
            continue
        place, _, anchor = link.partition("#")
        target = (page.parent / place).resolve() if place else page
        assert target.exists(), f"{page.name}: {link}"
        if anchor:
            assert anchor in anchors(target.read_text(encoding="utf-8")), f"{page.name}: {link}"


def test_records_are_numbered_without_a_gap():
    assert [int(one.name[:4]) for one in RECORDS] == list(range(1, len(RECORDS) + 1))


def test_every_record_is_listed_under_its_own_title():
    listed = dict(
        re.findall(
            r"\[(\d{4} [^\]]+)\]\(([^)]+)\)", (ADR / "README.md").read_text(encoding="utf-8")
        )
    )
    for record in RECORDS:
        title = record.read_text(encoding="utf-8").splitlines()[0].removeprefix("# ")
        assert listed.get(title) == record.name


def test_every_record_says_what_forced_it_and_what_it_costs():
    for record in RECORDS:
        text = record.read_text(encoding="utf-8")
        assert re.findall(r"^\*\*(\w+)\.\*\*", text, re.MULTILINE) == [
            "Context",
            "Choice",
            "Why",
            "Costs",
        ]
