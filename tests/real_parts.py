"""Servers that tests start themselves, on spare loopback ports; where one is not installed its tests skip."""

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

_INSTALLED = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
_WAIT_S = 30


def spare_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Postgres:
    """A PostgreSQL server of one's own. As root it runs as the user that the package made: it refuses root.

    Without `fsync` it survives being killed, not a power cut, and takes a tenth of the time.
    """

    def __init__(self, folder, bin_folder, *, fsync=False):
        self.folder = folder
        self.port = spare_port()
        self._bin = bin_folder
        self._fsync = fsync
        self._process = None
        self._databases = 0
        self._user = "postgres" if os.geteuid() == 0 else None
        if self._user:
            shutil.chown(folder, self._user)
        self._run("initdb", "-D", folder / "data", "-U", "owner", "-A", "trust", "-E", "UTF8", "-N")
        self.start()

    def start(self):
        """Start it, or start it again."""
        arguments = ["-D", self.folder / "data", "-p", self.port, "-k", self.folder]
        settings = ["-c", "listen_addresses=127.0.0.1", "-c", "shared_buffers=16MB"]
        settings += ["-c", f"fsync={'on' if self._fsync else 'off'}"]
        with (self.folder / "server.log").open("a") as log:
            self._process = subprocess.Popen(
                [str(part) for part in (self._bin / "postgres", *arguments, *settings)],
                stdout=subprocess.DEVNULL,
                stderr=log,
                user=self._user,
                start_new_session=True,
            )
        end = time.monotonic() + _WAIT_S
        while self._try("pg_isready", "-q", "-h", "127.0.0.1", "-p", self.port):
            assert time.monotonic() < end, (self.folder / "server.log").read_text()
            time.sleep(0.05)

    def stop(self, *, kill=False):
        """Stop it at once: connections break. With `kill`, as a power cut would."""
        if self._process is not None:
            if kill:
                whole = psutil.Process(self._process.pid)
                for one in (
                    whole,
                    *whole.children(recursive=True),
                ):  # the others would go on a while
                    one.kill()
            else:
                self._process.send_signal(
                    3
                )  # SIGQUIT: immediate shutdown, recovery at the next start
            self._process.wait(_WAIT_S)
            self._process = None

    @property
    def common(self):
        """The URL of a database that tests share."""
        return f"postgresql://owner@127.0.0.1:{self.port}/postgres"

    def database(self):
        """Return the URL of a database that nobody has used."""
        self._databases += 1
        name = f"d{self._databases}"
        self._run("createdb", "-h", "127.0.0.1", "-p", self.port, "-U", "owner", name)
        return f"postgresql://owner@127.0.0.1:{self.port}/{name}"

    def _run(self, program, *arguments):
        command = [str(part) for part in (self._bin / program, *arguments)]
        subprocess.run(command, check=True, capture_output=True, user=self._user)

    def _try(self, program, *arguments):
        command = [str(part) for part in (self._bin / program, *arguments)]
        return subprocess.run(command, check=False, capture_output=True).returncode


@contextmanager
def started_postgres(*, fsync=False):
    """Give a server; stop it afterwards. Its folder is not one of pytest's, which only their owner may enter."""
    if not _INSTALLED:
        lack = pytest.fail if os.environ.get("CI") else pytest.skip
        lack("PostgreSQL is not installed: apt-get install postgresql")
    with tempfile.TemporaryDirectory(prefix="setpoint-postgres-") as folder:
        server = Postgres(Path(folder), _INSTALLED[-1], fsync=fsync)
        try:
            yield server
        finally:
            server.stop()


@pytest.fixture(scope="session")
def postgres():
    """Give a PostgreSQL server; ask it for a database."""
    with started_postgres() as server:
        yield server


class Door:
    """A way to a server that can be shut: whoever comes is turned away, whoever is inside is cut off."""

    def __init__(self, port):
        self.port = spare_port()
        self._inner = port
        self._listener = None
        self._through = set()
        self.open()

    def open(self):
        self._listener = socket.create_server(("127.0.0.1", self.port))
        threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def shut(self):
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for one in list(self._through):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def _accept(self, listener):
        with contextlib.suppress(OSError):
            while True:
                outer, _ = listener.accept()
                inner = socket.create_connection(("127.0.0.1", self._inner))
                for ends in ((outer, inner), (inner, outer)):
                    threading.Thread(target=self._carry, args=ends, daemon=True).start()

    def _carry(self, source, sink):
        self._through.add(source)
        with source, contextlib.suppress(OSError):
            while content := source.recv(1 << 16):
                sink.sendall(content)
        self._through.discard(source)
        with contextlib.suppress(OSError):
            sink.shutdown(socket.SHUT_RDWR)


class ObjectStore:
    """S3 on this machine, behind a door."""

    def __init__(self, folder):
        port = spare_port()
        program = Path(sys.executable).with_name("moto_server")
        with (folder / "server.log").open("a") as log:
            self._process = subprocess.Popen(
                [str(program), "-H", "127.0.0.1", "-p", str(port)], stdout=log, stderr=log
            )
        end = time.monotonic() + _WAIT_S
        while not answers(port):
            assert time.monotonic() < end, (folder / "server.log").read_text()
            time.sleep(0.05)
        self.door = Door(port)
        self._buckets = 0

    @property
    def environment(self):
        """What a process needs to know of it, as the cloud's own tools name it."""
        return {
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{self.door.port}",
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_REGION": "us-east-1",
        }

    def folder(self):
        """Return the URL of a folder in a bucket that nobody has used."""
        self._buckets += 1
        name = f"bucket-{self._buckets}"
        url = f"{self.environment['AWS_ENDPOINT_URL']}/{name}"
        asked = urllib.request.Request(url, method="PUT")  # noqa: S310 (loopback)
        urllib.request.urlopen(asked, timeout=_WAIT_S).close()  # noqa: S310 (the same)
        return f"s3://{name}/some/log"

    def stop(self):
        """Stop it; what it held is gone."""
        self.door.shut()
        self._process.kill()
        self._process.wait(_WAIT_S)


def answers(port):
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True


@contextmanager
def started_object_store(folder):
    """Give an object store; its environment is this process's until the end."""
    store = ObjectStore(folder)
    with pytest.MonkeyPatch.context() as patch:
        for name, value in store.environment.items():
            patch.setenv(name, value)
        try:
            yield store
        finally:
            store.stop()


@pytest.fixture(scope="session")
def object_store(tmp_path_factory):
    """Give an object store; ask it for a folder."""
    with started_object_store(tmp_path_factory.mktemp("objects")) as store:
        yield store
