"""The Git commit of a project, and whether its work tree differs from it."""

import subprocess
from pathlib import Path
from typing import NamedTuple

_STATUS = ("status", "--porcelain=v2", "--branch", "--untracked-files=normal", "--", ".")


class GitState(NamedTuple):
    """Where a project stands in Git.

    Args:
        commit: Full hash of the commit that is checked out; empty where there is none.
        dirty: Whether tracked files differ from it or untracked ones lie beside them; None where Git cannot say.
    """

    commit: str
    dirty: bool | None


def git_state(project: Path, *, limit_s: float = 10.0) -> GitState:
    """Return where `project` stands in Git; nothing known outside a repository, without Git, or when Git hangs.

    Only changes inside the project's folder count: in a repository of many projects the neighbours do not matter.

    Args:
        project: Folder of the project.
        limit_s: Longest time to wait for Git, in seconds.
    """
    unknown = GitState("", None)
    # --no-optional-locks: looking must never get in the way of a person's own git command.
    command = ["git", "--no-optional-locks", "-C", str(project), *_STATUS]
    try:
        done = subprocess.run(  # noqa: S603  a fixed command; the folder is one argument, never a shell's text
            command, capture_output=True, check=False, timeout=limit_s, stdin=subprocess.DEVNULL
        )
    except (OSError, subprocess.TimeoutExpired):
        return unknown
    if done.returncode != 0:
        return unknown
    lines = done.stdout.decode("utf-8", "replace").splitlines()
    heads = [
        line.removeprefix("# branch.oid ") for line in lines if line.startswith("# branch.oid ")
    ]
    commit = heads[0] if heads and heads[0] != "(initial)" else ""
    return GitState(commit, any(not line.startswith("#") for line in lines))
