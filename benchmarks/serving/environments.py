"""Environments of what is measured beside the gateway: one for each server, made once by uv in a cache folder."""

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

CACHE = Path("~/.cache/setpoint-bench")
_READY = ".ready"


class NoEnvironmentError(Exception):
    """An environment cannot be made."""


def environment(cache: Path, name: str, requirements: Sequence[str]) -> Path:
    """Return the folder of an environment with these packages; make it where it is not there, with low priority.

    Raises:
        NoEnvironmentError: uv or the packages cannot be had.
    """
    folder = cache.expanduser() / name
    wanted = hashlib.sha256("\n".join(requirements).encode()).hexdigest()
    ready = folder / _READY
    if ready.is_file() and ready.read_text() == wanted:
        return folder
    shutil.rmtree(folder, ignore_errors=True)
    uv = _require_uv(cache.expanduser())
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    _run([uv, "venv", "--quiet", "--python", python, str(folder)])
    target = str(folder / "bin" / "python")
    _run([uv, "pip", "install", "--quiet", "--compile-bytecode", "--python", target, *requirements])
    ready.write_text(wanted)
    return folder


def variables(folder: Path, **more: str) -> dict[str, str]:
    """Return the environment variables of a process that runs in an environment: nothing of this one's."""
    kept = {name: os.environ[name] for name in ("HOME", "LANG", "TMPDIR") if name in os.environ}
    path = f"{folder / 'bin'}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
    return {**kept, "PATH": path, "VIRTUAL_ENV": str(folder), "PYTHONUNBUFFERED": "1", **more}


def _require_uv(cache: Path) -> str:
    """Return uv's path: an installed one, that of `make setup`, or one put into the cache."""
    own = Path(__file__).parents[2] / ".tools" / "bin" / "uv"
    kept = cache / "tools" / "bin" / "uv"
    for found in (shutil.which("uv"), str(own), str(kept)):
        if found and Path(found).is_file():
            return found
    pip = shutil.which("pip3") or shutil.which("pip")
    if pip is None:
        raise NoEnvironmentError("environments are made by uv, which is missing: install uv or pip")
    _run([pip, "install", "--quiet", "--target", str(cache / "tools"), "uv"])
    return str(kept)


def _run(command: Sequence[str]) -> None:
    gentle = ["/usr/bin/env", "nice", *command]
    done = subprocess.run(gentle, check=False, capture_output=True, text=True)
    if done.returncode:
        msg = f"{' '.join(command)} failed:\n{done.stderr[-2000:]}"
        raise NoEnvironmentError(msg)
