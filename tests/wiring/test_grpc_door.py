"""The port for gRPC: free or refused, told once, and no word of it without the extra."""

import importlib.util
import socket

import pytest

from setpoint.errors import UsageError
from setpoint.wiring.grpc_door import reserve_grpc


def test_without_the_extra_the_message_says_what_to_install(monkeypatch):
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "grpc" else find(name)
    )
    with pytest.raises(UsageError, match=r"pip install 'setpoint\[grpc\]'"):
        reserve_grpc("127.0.0.1", 0, None, None)


def test_a_spare_port_is_taken_and_kept():
    first = reserve_grpc("127.0.0.1", 0, None, None)
    second = reserve_grpc("127.0.0.1", 0, None, None)
    assert first.address.startswith("127.0.0.1:")
    assert first.address != second.address
    first.place.close()
    second.place.close()


def test_a_port_where_somebody_listens_is_refused_though_ports_can_be_shared():
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(UsageError, match=f"{port} for gRPC: Address already in use; choose"):
            reserve_grpc("127.0.0.1", port, None, None)


def test_files_of_tls_are_read_and_one_may_hold_both(tmp_path):
    both, key = tmp_path / "both.pem", tmp_path / "key.pem"
    both.write_bytes(b"both")
    key.write_bytes(b"key")
    for file, expected in ((key, (b"key", b"both")), (None, (b"both", b"both"))):
        door = reserve_grpc("127.0.0.1", 0, both, file)
        assert door.tls == expected
        door.place.close()
    with pytest.raises(UsageError, match=r"none\.pem cannot be used"):
        reserve_grpc("127.0.0.1", 0, tmp_path / "none.pem", None)


def test_address_is_told_by_the_first_process_that_listens_and_no_other(capsys):
    door = reserve_grpc("127.0.0.1", 0, None, None)
    for _ in range(3):
        door.tell()
    assert capsys.readouterr().out == f"setpoint gateway: listening on grpc://{door.address}\n"
    door.place.close()


def test_ipv6_hosts_stand_in_brackets():
    try:
        door = reserve_grpc("::1", 0, None, None)
    except UsageError:
        pytest.skip("this machine has no IPv6")
    assert door.address.startswith("[::1]:")
    door.place.close()
