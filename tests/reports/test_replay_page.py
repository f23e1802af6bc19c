import re
from html.parser import HTMLParser

import pytest

from setpoint.facts.decision import Decision
from setpoint.facts.replay import DriftCell, ReplaySettings
from setpoint.facts.verdict import Verdict
from setpoint.reports.replay_page import DECISIONS, replay_page

VOID = {"meta", "br", "img", "link", "input", "hr", "path", "rect", "line", "i"}


class Balance(HTMLParser):
    def __init__(self):
        super().__init__()
        self.open, self.ids, self.external = [], [], []

    def handle_starttag(self, tag, attrs):
        found = dict(attrs)
        self.ids += [found["id"]] if "id" in found else []
        self.external += [v for k, v in attrs if k in ("src", "href", "xlink:href") and v]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if tag not in VOID:
            assert self.open.pop() == tag


def parsed(page):
    balance = Balance()
    balance.feed(page)
    assert balance.open == []
    return balance


def test_the_page_stands_alone_and_closes_what_it_opens(make_replay):
    page = replay_page(make_replay())
    assert parsed(page).external == []
    assert "<script" not in page
    assert not re.findall(r"@import|url\((?!#)", page)
    assert len(page) < 400_000


def test_inner_references_of_two_charts_do_not_meet(make_replay):
    ids = parsed(replay_page(make_replay())).ids
    assert len(ids) == len(set(ids))


def test_texts_of_the_data_are_escaped_wherever_they_stand(make_replay):
    evil = '<script>alert("1")</script>'
    cell = DriftCell(column=evil, start=1.7e9, end=1.71e9, distance=0.3, verdict="fail")
    decision = Decision(
        id='"><script>', at=1.7e9, action="alert", reason=evil, attempt=evil, numbers={evil: evil}
    )
    replay = make_replay(
        name=evil, source=evil, metric=evil, notes=(evil,), schedule=evil, drift=(cell,), decisions=(decision,)
    )  # fmt: skip
    page = replay_page(replay)
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    parsed(page)


def test_the_page_does_not_send_people_to_a_ledger_that_a_replay_does_not_have(make_replay):
    page = replay_page(make_replay())
    assert "shows the same" not in page
    assert "keeps no ledger" in page


def test_settings_stand_on_the_page(make_replay):
    told = ReplaySettings(start=4000, start_at=1.7e9, batch="7d", label_delay="48h", seed=11)
    page = replay_page(make_replay(settings=told))
    assert "48h late" in page
    assert "its digest then differs" in page


def test_worth_in_the_table_has_the_sign_of_the_chart(make_replay):
    page = replay_page(make_replay())
    minus = "\N{MINUS SIGN}"
    assert f"{minus}0.026 to 0.004" in page  # a refusal of a candidate that was better by 0.011


def test_every_decision_is_there_with_its_reason_and_numbers(make_replay):
    replay = make_replay()
    page = replay_page(replay)
    for decision in replay.decisions:
        assert f'id="d-{decision.id}"' in page
    assert "not shown to be better: the interval holds the margin" in page
    assert "alpha 0.025, k 2" in page
    assert "<dd>1,202</dd>" in page


def test_an_attempt_is_one_row_that_says_what_became_of_it(make_replay):
    gate = Verdict(subject="f1 min 0.6", verdict="pass", observed=0.71, interval=(0.68, 0.74))
    steps = [("retrain", None, "drift.share > 30%"), ("fit", None, "fitted on 900 rows"),
             ("judge", None, "1 gate pass"), ("register", 2, "registered"),
             ("promote", 2, "release is direct")]  # fmt: skip
    taken = tuple(
        Decision(id=f"s{i}", at=1.7e9, action=action, reason=reason, version=version,
                 attempt="" if action == "promote" else "att", verdicts=(gate,) if action == "judge" else ())
        for i, (action, version, reason) in enumerate(steps)
    )  # fmt: skip
    page = replay_page(make_replay(decisions=taken))
    assert page.count('<details class="story') == 1
    row = re.search(r"<summary><span class=\"when.*?</summary>", page, re.DOTALL)[0]
    for words in (
        "promoted v2",
        "f1 min 0.6 0.71 (0.68 to 0.74)",
        "drift.share &gt; 30%",
        "fitted on 900 rows",
    ):
        assert words in row
    parsed(page)


def test_decisions_can_be_chosen_by_what_became_of_them_without_a_script(make_replay):
    page = replay_page(make_replay())
    assert '<label for="k-promoted">promoted 3</label>' in page
    assert "#k-promoted:checked~.story:not(.k-promoted)" in page


def test_a_decision_taken_again_and_again_is_told_once_with_its_count(make_replay):
    holds = tuple(
        Decision(id=f"h{i}", at=1.7e9 + i, action="hold", reason="cool-down") for i in range(50)
    )
    page = replay_page(make_replay(decisions=holds))
    assert page.count('<details class="story') == 1
    assert "50 times for the same reason" in page


def test_a_long_history_of_decisions_does_not_swell_the_page(make_replay):
    many = tuple(
        Decision(id=f"a{i}", at=1.7e9 + i, action="alert", reason=f"r{i}")
        for i in range(DECISIONS + 7)
    )
    page = replay_page(make_replay(decisions=many))
    assert page.count('<details class="story') == DECISIONS
    assert "And 7 more" in page


def test_an_empty_replay_says_so_instead_of_drawing_nothing(make_replay):
    page = replay_page(
        make_replay(
            batches=(), decisions=(), drift=(), gate_costs=(), loop=None, static=None, scheduled=None, no_change=None
        )
    )  # fmt: skip
    assert "nothing to compare" in page
    assert "No window was measured" in page
    assert "<svg" not in page
    parsed(page)


@pytest.mark.parametrize("axis", ["time", "rows"])
def test_dates_or_rows_follow_the_axis(make_replay, axis):
    page = replay_page(make_replay(axis=axis))
    assert ("2023-07-20" in page) == (axis == "time")
    assert ("row 1,689," in page) == (axis == "rows")


def test_colours_come_from_the_style_sheet_so_that_dark_paper_works(make_replay):
    page = replay_page(make_replay())
    assert 'stroke="var(--loop)"' in page
    assert "prefers-color-scheme:dark" in page
    svg = "".join(re.findall(r"<svg.*?</svg>", page, flags=re.DOTALL))
    assert set(re.findall(r'(?:fill|stroke)="#[0-9a-f]+"', svg)) == set()
