import pytest

from setpoint.contract.resolve import resolve, resolve_key


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", None), ("~", None), ("null", None), ("true", True), ("FALSE", False), ("0", 0), ("-7", -7), ("+7", 7),
        ("0.5", 0.5), (".5", 0.5), ("1.", 1.0), ("1e3", 1000.0), ("2.10", 2.1), ("tRue", "tRue"), ("yEs", "yEs"),
        ("2024-01-31", "2024-01-31"), ("5%", "5%"), ("24h", "24h"), ("a:b", "a:b"), ("y", "y"), ("1.2.3", "1.2.3"),
    ],
)  # fmt: skip
def test_scalars_that_all_readers_agree_on(text, value):
    found, reason = resolve(text)
    assert (found, reason) == (value, "")
    assert type(found) is type(value)


@pytest.mark.parametrize(
    "text",
    ["yes", "No", "ON", "off", "010", "007", "-010", "0o17", "0x1F", "0b11", "1_000", "1_000.5", "1:30", "12:30:00",
     ".inf", "-.INF", ".nan", "1e999", "-1e999", "9" * 30, "9" * 5000],
)  # fmt: skip
def test_scalars_that_readers_of_yaml_disagree_on_must_be_quoted(text):
    assert resolve(text)[1]


@pytest.mark.parametrize("text", ["y", "n", "Y", "N"])
def test_y_and_n_bite_where_labels_stand_only(text):
    assert resolve(text, label=True)[1]
    assert not resolve(text)[1]


@pytest.mark.parametrize("text", ["yes", "Off", "true", "null", "~", "", "<<"])
def test_keys_that_some_readers_take_for_no_text(text):
    assert resolve_key(text)


@pytest.mark.parametrize("text", ["y", "n", "1", "007", "tenure", "2024-01-01"])
def test_keys_that_are_text_here(text):
    assert not resolve_key(text)
