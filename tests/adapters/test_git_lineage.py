"""Git lineage: the commit and whether the tree differs, and every way in which Git cannot say."""

import os
import shutil
import subprocess

import pytest

from setpoint.adapters.git_lineage import GitState, git_state

IDENTITY = ("-c", "user.name=A", "-c", "user.email=a@example.com", "-c", "commit.gpgsign=false")


def git(folder, *arguments):
    command = [shutil.which("git"), "-C", str(folder), *IDENTITY, *arguments]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return done.stdout.strip()


@pytest.fixture
def repository(tmp_path):
    git(tmp_path, "init", "-q")
    (tmp_path / "contract.yaml").write_text("model: 1")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-q", "-m", "Begin")
    return tmp_path


def test_clean_tree(repository):
    assert git_state(repository) == GitState(git(repository, "rev-parse", "HEAD"), dirty=False)


@pytest.mark.parametrize("change", ["edit", "add", "stage", "remove"])
def test_any_difference_is_dirty(repository, change):
    if change == "edit":
        (repository / "contract.yaml").write_text("model: 2")
    elif change == "remove":
        (repository / "contract.yaml").unlink()
    else:
        (repository / "new.py").write_text("")
    if change == "stage":
        git(repository, "add", "new.py")
    assert git_state(repository).dirty is True


def test_ignored_files_are_not_dirt(repository):
    (repository / ".gitignore").write_text(".setpoint/\n")
    git(repository, "add", ".")
    git(repository, "commit", "-q", "-m", "Ignore")
    (repository / ".setpoint").mkdir()
    (repository / ".setpoint" / "state.db").write_text("")
    assert git_state(repository).dirty is False


def test_neighbours_in_one_repository_do_not_matter(repository):
    for name in ("churn", "fraud"):
        (repository / name).mkdir()
        (repository / name / "x").write_text("1")
    git(repository, "add", ".")
    git(repository, "commit", "-q", "-m", "Two")
    (repository / "fraud" / "x").write_text("2")
    assert git_state(repository / "churn").dirty is False
    assert git_state(repository / "fraud").dirty is True


def test_repository_without_a_commit(tmp_path):
    git(tmp_path, "init", "-q")
    assert git_state(tmp_path) == GitState("", dirty=False)


def test_outside_a_repository(tmp_path, monkeypatch):
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert git_state(tmp_path) == GitState("", None)


def test_folder_that_is_not_there(tmp_path):
    assert git_state(tmp_path / "nowhere") == GitState("", None)


def test_machine_without_git(repository, monkeypatch):
    monkeypatch.setenv("PATH", str(repository))
    assert git_state(repository) == GitState("", None)


def test_git_that_hangs_does_not_hold_a_pass(repository, tmp_path, monkeypatch):
    place = tmp_path / "bin"
    place.mkdir()
    (place / "git").write_text("#!/bin/sh\nexec sleep 30\n")
    (place / "git").chmod(0o755)
    monkeypatch.setenv("PATH", f"{place}:{os.environ['PATH']}")
    assert git_state(repository, limit_s=0.1) == GitState("", None)


def test_looking_takes_no_lock(repository):
    (repository / ".git" / "index.lock").write_text("")
    assert git_state(repository).dirty is False
