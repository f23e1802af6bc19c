"""One log, one secret: whoever asks first makes it, and it outlives them."""

import stat
from concurrent.futures import ThreadPoolExecutor

import pytest

from setpoint.adapters.log.secret import LogSecret
from setpoint.errors import JournalError


def test_salt_is_made_once_and_for_its_owner_only(tmp_path):
    log = tmp_path / "store" / "log.db"
    secret = LogSecret(log)
    path = tmp_path / "store" / "log.salt"
    assert not path.exists()
    salt = secret()
    assert len(salt) == 32
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert LogSecret(log)() == salt == secret()
    assert list(path.parent.iterdir()) == [path]
    assert LogSecret(tmp_path / "other.db")() != salt


def test_a_key_takes_the_place_of_the_salt(tmp_path):
    assert LogSecret(tmp_path / "log.db", "a key of the team's")() == b"a key of the team's"
    assert not list(tmp_path.iterdir())


def test_those_who_come_at_once_get_the_same(tmp_path):
    asked = [LogSecret(tmp_path / "log.db") for _ in range(16)]
    with ThreadPoolExecutor(8) as threads:
        assert len(set(threads.map(lambda one: one(), asked))) == 1


@pytest.mark.parametrize("text", ["", "zz", "00ff", "ä" * 64])
def test_a_salt_that_is_none_is_refused_and_not_replaced(tmp_path, text):
    (tmp_path / "log.salt").write_text(text, encoding="utf-8")
    with pytest.raises(JournalError, match=r"log\.salt cannot be used"):
        LogSecret(tmp_path / "log.db")()
    assert (tmp_path / "log.salt").read_text(encoding="utf-8") == text
