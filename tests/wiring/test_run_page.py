"""A pass leaves a page that says what its gates said; a second one that changes nothing still names it."""

from pathlib import Path


def test_a_pass_leaves_its_page_and_the_next_finds_it(project):
    project.write_rows(2000)
    project.write_contract("")
    first = project.run()
    page = Path(first["report"])
    told = page.read_text(encoding="utf-8")
    assert first["attempt"] in page.name
    assert "roc_auc min 0.6" in told
    assert "It is version 1." in told
    assert project.run()["report"] == str(page)
    page.unlink()
    assert project.run()["report"] == ""
