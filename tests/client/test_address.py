import pytest

from setpoint.client.address import Address, read_address
from setpoint.errors import UsageError


@pytest.mark.parametrize(
    ("url", "address", "authority"),
    [
        ("http://127.0.0.1:8080", Address("127.0.0.1", 8080, False, ""), "127.0.0.1:8080"),
        ("http://gateway", Address("gateway", 80, False, ""), "gateway"),
        ("https://m.example.com/churn/", Address("m.example.com", 443, True, "/churn"), "m.example.com"),
        ("https://m.example.com:8443", Address("m.example.com", 8443, True, ""), "m.example.com:8443"),
        ("http://[::1]:8080/", Address("::1", 8080, False, ""), "[::1]:8080"),
    ],
)  # fmt: skip
def test_parts_of_a_url(url, address, authority):
    assert read_address(url) == address
    assert address.authority == authority


@pytest.mark.parametrize(
    "url",
    [
        "127.0.0.1:80",
        "ftp://x",
        "http://",
        "http://x:99999",
        "http://x:0",
        "http://user:word@x",
        "http://x?key=1",
        "http://x#a",
        "http://x/a b",
        "http://x/\r\nhost: y",
        "http://x/ä",
        "http://[::1",
    ],
)
def test_what_is_no_address_is_refused(url):
    with pytest.raises(UsageError):
        read_address(url)
