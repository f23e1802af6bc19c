"""Tests of the room for connections: the system's limit is raised as far as it goes, and believed."""

import resource

import pytest

from setpoint.wiring.open_files import room_for


@pytest.fixture
def files(monkeypatch):
    """The system's limits, which a test may set."""
    now = {"soft": 0, "hard": 0}

    def change(_, limits):
        now["soft"], now["hard"] = limits

    monkeypatch.setattr(resource, "getrlimit", lambda _: (now["soft"], now["hard"]))
    monkeypatch.setattr(resource, "setrlimit", change)
    return now


@pytest.mark.parametrize(
    ("soft", "hard", "room", "soft_then"),
    [
        (1024, 524_288, 10_000, 10_256),  # what systemd gives
        (1024, 4096, 3840, 4096),
        (1_048_576, 1_048_576, 10_000, 1_048_576),
        (resource.RLIM_INFINITY, resource.RLIM_INFINITY, 10_000, resource.RLIM_INFINITY),
        (1024, resource.RLIM_INFINITY, 10_000, 10_256),
        (64, 64, 1, 64),
    ],
)
def test_there_is_room_for_as_many_connections_as_files_may_be_open(
    files, soft, hard, room, soft_then
):
    files.update(soft=soft, hard=hard)
    assert room_for(10_000) == room
    assert files == {"soft": soft_then, "hard": hard}
