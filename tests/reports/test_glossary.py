"""Words of the pages are explained in one place, and each page lists those it uses."""

from setpoint.facts.report import ValidationReport
from setpoint.reports.glossary import GLOSSARY, glossary_of
from setpoint.reports.replay_page import replay_page
from setpoint.reports.validation_page import validation_page
from setpoint.stats.metrics import METRICS


def test_every_metric_is_explained():
    assert set(METRICS) <= set(GLOSSARY)


def test_a_page_lists_the_words_it_uses_and_no_others():
    found = dict(glossary_of("<p class='mae'>brier_skill 0.4, drift.share is 30%; k 2</p>"))
    assert set(found) == {"brier_skill", "drift.share", "k"}


def test_part_of_a_longer_word_is_another_word():
    assert glossary_of("<p>my_mae.x knullst</p>") == []


def test_pages_explain_their_words_after_all_else(make_replay):
    page = replay_page(make_replay())
    assert page.index("<dt>roc_auc</dt>") > page.index("How to read this")
    assert "<dt>mae</dt>" not in page
    assert "<!-- words -->" not in page


def test_a_page_without_such_words_has_no_empty_list():
    assert "<h2>Words</h2>" not in validation_page(ValidationReport(source="x", rows=3, checks=()))


def test_the_mark_that_a_glossary_stands_for_cannot_come_from_the_data(make_replay):
    page = replay_page(make_replay(source="<!-- words -->", metric="mae"))
    assert page.count("<h2>Words</h2>") == 1
    assert page.index("<h2>Words</h2>") > page.index("How to read this")
