import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from setpoint.contract.document import MAX_DEPTH, MAX_NODES, MAX_TEXT, Node, read_document
from setpoint.errors import ContractError


def problems(text: str) -> list[str]:
    try:
        document = read_document(text, file="c.yaml")
    except ContractError as error:
        return [str(problem) for problem in error.problems]
    return [str(problem) for problem in document.problems]


def test_nodes_know_their_places():
    root = read_document("a:\n  b: [1, x]\n  'c d': {e: null}\n", file="c.yaml").root
    assert root.plain() == {"a": {"b": [1, "x"], "c d": {"e": None}}}
    places = {path: (place.line, place.column) for path, place in root.places().items()}
    assert places == {
        "a": (1, 1), "a.b": (2, 3), "a.b[0]": (2, 7), "a.b[1]": (2, 10), 'a["c d"]': (3, 3), 'a["c d"].e': (3, 11),
    }  # fmt: skip


def test_quoted_text_is_text():
    root = read_document('a: "2.10"\nb: \'yes\'\nc: |\n  010\nd: "\\u0001"\n', file="c.yaml").root
    assert root.plain() == {"a": "2.10", "b": "yes", "c": "010\n", "d": "\x01"}


def test_nothing_is_nothing():
    for text in ("", "   \n", "# only words\n", "---\n", "\ufeff"):
        assert read_document(text, file="c.yaml").root.value is None


DANGERS = {
    "ten megabytes": ("a: b\n" * 2_000_000, "characters long"),
    "one character too many": ("#" * (MAX_TEXT + 1), "characters long"),
    "deep lists": ("[" * 100_000, "deep"),
    "deep blocks": ("- " * 10_000, "deep"),
    "deep mappings": ("".join(" " * i + "a:\n" for i in range(500)), "deep"),
    "too many values": ("[" + "a," * MAX_NODES + "b]", "values"),
    "tab as indent": ("a:\n\tb: c\n", "tab"),
    "tab at the start": ("\ta: 1", "tab"),
    "key twice": ("a: 1\nb: 2\na: 3\n", "stands twice; the first is in line 1"),
    "key twice inside": ("a: {b: 1, b: 2}", "stands twice"),
    "alias": ("a: &x 1\nb: *x\n", "aliases are not read"),
    "billion laughs": (
        "a: &a [x]\n"
        + "".join(
            f"{c}: &{c} [*{p},*{p},*{p}]\n" for p, c in zip("abcdefgh", "bcdefghi", strict=True)
        ),
        "aliases are not read",
    ),
    "alias to itself": ("a: &a [*a]", "aliases are not read"),
    "merge key": ("a: {b: 1}\nc: {<<: 1}", "merge keys are not read"),
    "object tag": ("a: !!python/object/apply:os.system [ls]", "tags are not read"),
    "text tag": ("a: !!str 1", "tags are not read"),
    "control character": ("a: b\x07", "cannot be seen"),
    "null character": ("a: \x00", "cannot be seen"),
    "escape sequence": ("a: \x1b[31m", "cannot be seen"),
    "lone surrogate": ("a: \ud800", "cannot be seen"),
    "line separator": ("a: b\u2028c: d", "cannot be seen"),
    "mark inside": ("a: \ufeffb", "cannot be seen"),
    "two documents": ("a: 1\n---\nb: 2\n", "second document"),
    "yaml 1.1": ("%YAML 1.1\n---\na: 1\n", "YAML 1.1"),
    "key that is a list": ("? [a]\n: b\n", "key is not text"),
    "key that is a mapping": ("{{a: b}: c}", "key is not text"),
    "breaks off": ("a: [1, 2", "not YAML"),
    "two colons": ("a: b: c", "not YAML"),
    "unknown escape": ('a: "\\q"', "not YAML"),
    "not a number": ("a: .nan", "finite"),
    "infinity": ("a: -.inf", "finite"),
    "overflow": ("a: 1e400", "too large"),
    "huge integer": ("a: " + "9" * 100_000, "too large"),
    "norway": ("a: no", 'write "no"'),
    "empty key": (": a", "not text"),
}


@pytest.mark.parametrize("danger", DANGERS)
def test_a_text_that_is_unsound_is_refused_quickly_and_says_why(danger):
    text, reason = DANGERS[danger]
    start = time.process_time()
    found = problems(text)
    assert time.process_time() - start < 2
    assert any(reason in problem for problem in found), found
    assert all(problem.startswith("c.yaml") for problem in found)


def test_problems_stand_where_they_are():
    error = read_document("a: 1\nb:\n  c: yes\n", file="c.yaml").problems[0]
    assert (error.line, error.column, error.path, error.found) == (3, 6, "b.c", "yes")


def test_depth_just_below_the_limit_is_read():
    text = "[" * MAX_DEPTH + "]" * MAX_DEPTH
    assert problems(text) == []


def test_windows_line_ends_do_not_move_lines():
    root = read_document("a: 1\r\nb: 2\r\n", file="c.yaml").root
    assert root.places()["b"].line == 2


@given(st.text("ab:-[]{}&*!|>'\"#%@`,? \n\t0.~<", max_size=40))
def test_any_text_is_read_or_refused(text):
    try:
        document = read_document(text, file="c.yaml")
    except ContractError:
        return
    document.root.plain()
    document.root.places()


def test_entries_are_found_and_put_by_path():
    root = read_document("a: {b: 1}\nc: [1]\n", file="c.yaml").root
    entry = root.at(("a", "b"))
    assert entry is not None
    assert root.at(("a", "x")) is None
    assert root.at(("c", "x")) is None
    root.put(("d", "e"), entry)
    root.put(("c", "x"), entry)
    assert root.plain() == {"a": {"b": 1}, "c": [1], "d": {"e": 1}}


def test_what_stands_there_in_words():
    root = read_document('[a, "b", [], {}, ~]', file="c.yaml").root
    assert isinstance(root, Node)
    assert isinstance(root.value, list)
    assert [node.said for node in root.value] == ["a", '"b"', "a list", "a mapping", "nothing"]
