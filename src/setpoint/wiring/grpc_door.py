"""The gateway's door for gRPC: reserves its port, and opens it in each process that answers there."""

import importlib
import importlib.util
import os
import socket
import sys
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from setpoint.errors import UsageError
from setpoint.gateway.app import App

_NEEDED = ("grpc", "google.protobuf")


@dataclass(frozen=True)
class GrpcDoor:
    """Where calls come in.

    Args:
        place: Holds the port and never listens: each process that answers listens there by a socket of its own, since
            grpcio takes no socket that exists. The system hands every connection to one of them.
        host: Host to listen on.
        tls: Private key and certificate with its chain, as PEM; None for the clear.
        untold: Pipe that holds one byte until a process has told people that it listens.
    """

    place: socket.socket
    host: str
    tls: tuple[bytes, bytes] | None
    untold: int

    @property
    def address(self) -> str:
        """Host and port."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.place.getsockname()[1]}"

    def tell(self) -> None:
        """Print the address, unless another process did: before one listens, connections are refused."""
        if not os.read(self.untold, 1):
            return
        scheme = "grpc" if self.tls is None else "grpcs"
        sys.stdout.write(f"setpoint gateway: listening on {scheme}://{self.address}\n")
        sys.stdout.flush()


def reserve_grpc(host: str, port: int, certificate: Path | None, key: Path | None) -> GrpcDoor:
    """Return the door at a port that nobody listens on; 0 takes a spare one.

    Call it before processes are forked: it loads nothing of grpcio, which does not survive that.

    Raises:
        UsageError: The extra is not installed, the port is taken, or the files cannot be read.
    """
    if not all(map(_is_installed, _NEEDED)):
        raise UsageError("--grpc-port needs the gRPC extra: pip install 'setpoint[grpc]'")
    if not hasattr(socket, "SO_REUSEPORT"):
        raise UsageError("--grpc-port: this system lets no two sockets share a port")
    tls = None
    if certificate is not None:
        try:  # one file may hold both
            tls = ((key or certificate).read_bytes(), certificate.read_bytes())
        except OSError as error:
            msg = f"the TLS certificate {certificate} cannot be used: {error}"
            raise UsageError(msg) from error
    try:
        _bound(host, port, shared=False).close()  # fails where another program listens
        place = _bound(host, port, shared=True)
    except OSError as error:
        msg = (
            f"cannot listen on {host}:{port} for gRPC: {error.strerror or error}; "
            "choose another with --grpc-port"
        )
        raise UsageError(msg) from error
    untold, told = os.pipe()
    os.write(told, b"1")
    os.close(told)
    return GrpcDoor(place, host, tls, untold)


async def open_grpc(door: GrpcDoor, app: App) -> Any:
    """Return the server of a door, open; its `drain` closes it.

    Raises:
        UsageError: The address cannot be listened on.
    """
    calls = importlib.import_module("setpoint.gateway.grpc.calls")
    served = importlib.import_module("setpoint.gateway.grpc.server")
    respond = partial(app.respond, find=calls.find_call)
    server = served.GrpcServer(respond, app.limits, served.Wire(message=app.limits.body))
    try:
        await server.open(door.address, door.tls)
    except OSError as error:
        msg = f"cannot listen on {door.address} for gRPC: {error}"
        raise UsageError(msg) from error
    door.tell()
    return server


def _is_installed(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:  # of the package around it
        return False


def _bound(host: str, port: int, *, shared: bool) -> socket.socket:
    """Return a socket that has a port and does not listen."""
    made = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if shared:
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        made.bind((host, port))
    except OSError:
        made.close()
        raise
    return made
