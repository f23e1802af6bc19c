"""`setpoint gateway` as people start it."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request


class Command:
    """One running command.

    Args:
        words: Its options; a spare port unless one is among them.
        cwd: Folder that it runs in.
        env: Variables beside those of this process.
        before: Words before the command, such as those of a program that takes rights away.
        tls: Context that trusts its certificate.
    """

    def __init__(self, *words, cwd, env=None, before=(), tls=None):
        command = [*before, sys.executable, "-m", "setpoint", "gateway", "--port", "0"]
        command += map(str, words)
        clean = {name: value for name, value in os.environ.items() if "SETPOINT_" not in name}
        self.tls = tls
        self.process = subprocess.Popen(
            command,
            cwd=cwd,
            env=clean | {"PYTHONUNBUFFERED": "1", "PYTHONDONTWRITEBYTECODE": "1"} | (env or {}),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        line = self.process.stdout.readline()
        if "://" not in line:
            raise RuntimeError(self.process.communicate(timeout=20)[1])
        self.url = line.split()[-1]

    def ask(self, path, body=None, token="", **headers):
        """Return status, headers and content of an answer."""
        headers |= {"Authorization": f"Bearer {token}"} if token else {}
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data, headers)  # noqa: S310 (our own gateway)
        try:
            with urllib.request.urlopen(request, timeout=10, context=self.tls) as answer:  # noqa: S310 (the same)
                return _read(answer)
        except urllib.error.HTTPError as error:
            with error:
                return _read(error)

    def status(self, path, body=None, token=""):
        return self.ask(path, body, token)[0]

    def until(self, condition, timeout_s=20.0):
        deadline = time.perf_counter() + timeout_s
        while True:
            with contextlib.suppress(OSError):
                if found := condition():
                    return found
            assert time.perf_counter() < deadline, self.ask("/readyz")[2]
            time.sleep(0.02)

    def until_ready(self):
        return self.until(lambda: self.status("/readyz") == 200)

    def metric(self, name):
        lines = self.ask("/metrics")[2].splitlines()
        return next(float(line.split()[-1]) for line in lines if line.startswith(name + " "))

    def stop(self):
        """Stop it as an operator does, and return exit code and error output."""
        self.process.send_signal(signal.SIGTERM)
        _, errors = self.process.communicate(timeout=20)
        return self.process.returncode, errors

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()
        self.process.stderr.close()


def _read(answer):
    content = answer.read().decode()
    if answer.headers["content-type"] == "application/json":
        content = json.loads(content)
    return answer.status, answer.headers, content


@contextlib.contextmanager
def running(*words, **more):
    command = Command(*words, **more)
    try:
        yield command
    finally:
        command.close()
