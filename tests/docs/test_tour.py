"""The tour of the README can be walked as it is written: each step stands in the folder that it needs."""

import posixpath
import re
import shlex
from itertools import pairwise
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TOUR = (ROOT / "README.md").read_text(encoding="utf-8").split("## A tour")[1].split("\n## ")[0]
STEPS = [shlex.split(line) for line in re.findall(r"^\$ (.+)$", TOUR, re.MULTILINE)]
MADE_BY_HAND = "typo.yaml"


def test_each_step_finds_its_project_and_its_files():
    folder, files, projects = ".", set(), set()

    def at(path):
        return posixpath.normpath(posixpath.join(folder, path))

    for step in STEPS:
        words = dict(pairwise(step))
        if step[0] == "curl" and "-LO" in step:
            files.add(at(step[-1].rpartition("/")[2]))
        elif step[0] == "cd":
            folder = at(step[1])
            assert folder in projects, step
        elif step[:2] == ["setpoint", "init"]:
            table = words["--from"]
            assert at(table) in files, step
            projects.add(at(step[2]))
            made = ("model_contract.yaml", f"data/{posixpath.basename(table)}")
            files |= {posixpath.join(at(step[2]), name) for name in made}
        elif step[0] == "setpoint":
            named = [word for word in step[2:] if word.endswith((".yaml", ".csv"))]
            for name in named:
                assert at(name) in files or name == MADE_BY_HAND, step
            assert named or folder in projects, step


def test_tour_is_found_at_all():
    assert len(STEPS) > 8
    assert ["cd", "elec"] in STEPS
