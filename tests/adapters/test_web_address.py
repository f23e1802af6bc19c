"""Tests of addresses: what is none, what is shown, what lies beside."""

import pytest

from setpoint.adapters.web_address import WebAddress
from setpoint.errors import UsageError


def parse(text):
    return WebAddress.parse(text, "--deployment")


def test_password_and_signature_are_never_shown():
    found = parse("https://ann:hunter2@store.example:8443/m/d.json?sig=s3cret")
    assert str(found) == "https://store.example:8443/m/d.json?…"
    for text in (str(found), repr(found)):
        assert "hunter2" not in text
        assert "s3cret" not in text
        assert "YW5u" not in text
    assert found.target == "/m/d.json?sig=s3cret"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "store.example/d.json",
        "ftp://store.example/d",
        "file:///d",
        "https://",
        "https:///d",
        "https://h:hunter2/d",
        "https://u:hunter2@h:99999/",
        "https://[::1/d",
        "https://h/a b",
        "https://h/\r\nX: 1",
        "https://h/é",
        "https://h/" + "x" * 2000,
    ],
)
def test_what_is_no_address_is_refused_and_not_repeated(text):
    with pytest.raises(UsageError, match="--deployment") as error:
        parse(text)
    assert "hunter2" not in str(error.value)


@pytest.mark.parametrize(
    ("text", "private"),
    [
        ("https://h/", True),
        ("http://h/", False),
        ("http://localhost/", True),
        ("http://127.9.9.9:1/", True),
        ("http://[::1]/", True),
        ("http://127.0.0.1.example/", False),
        ("http://10.0.0.1/", False),
    ],
)
def test_only_https_and_this_machine_are_private(text, private):
    assert parse(text).is_private is private


def test_files_beside_lie_in_the_same_folder_with_the_same_credentials():
    document = parse("https://u:p@h/a/deployment.json?sig=1")
    beside = document.beside("bundles/7/a b%.json")
    assert str(beside) == "https://h/a/bundles/7/a%20b%25.json"
    assert beside.authorization == document.authorization
    assert str(parse("https://h").beside("x")) == "https://h/x"


def test_ports_and_brackets_stand_where_the_host_header_wants_them():
    assert parse("http://[::1]:81/").place == "[::1]:81"
    assert parse("https://h:443/").place == "h"
    assert parse("http://h:443/").place == "h:443"
