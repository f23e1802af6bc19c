"""Commands, flags and targets that pages name are there, and every command has its place in the README."""

import re
from pathlib import Path

import pytest
import typer

from setpoint.cli import app

ROOT = Path(__file__).resolve().parents[2]
GROUP = typer.main.get_command(app)
NAMED = re.compile(r"(?:`|^\$ |^)setpoint ([a-z]+)((?: [^`\n|#]*)?)", re.MULTILINE)
README = (ROOT / "README.md").read_text(encoding="utf-8")


def named(text):
    """Yield each command that a page writes as code, with what follows it."""
    return [(found[1], found[2]) for found in NAMED.finditer(text)]


def options(command):
    return {flag for one in command.params for flag in (*one.opts, *one.secondary_opts)} | {
        "--help"
    }


def test_no_page_names_a_command_that_is_not_there(page):
    for name, rest in named(page.read_text(encoding="utf-8")):
        assert name in GROUP.commands, f"{page.name}: setpoint {name}{rest}"


def test_no_page_names_a_flag_or_a_subcommand_that_is_not_there(page):
    for name, rest in named(page.read_text(encoding="utf-8")):
        command = GROUP.commands[name]
        words = rest.split()
        if hasattr(command, "commands") and words and words[0].isalpha():
            assert words[0] in command.commands, f"{page.name}: setpoint {name} {words[0]}"
            command = command.commands[words[0]]
        for word in words:
            if word.startswith("--"):
                assert word in options(command), f"{page.name}: setpoint {name} {word}"


@pytest.mark.parametrize("name", sorted(GROUP.commands))
def test_the_readme_names_every_command(name):
    assert f"setpoint {name}" in README


def test_the_readme_says_how_to_test_and_to_see_it():
    assert "make test" in README
    assert "make demo" in README


def test_no_page_names_a_target_that_the_makefile_lacks(page):
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z]+):", makefile, re.MULTILINE))
    text = page.read_text(encoding="utf-8")
    for target in re.findall(r"(?:`|^)make ([a-z]+)", text, re.MULTILINE):
        assert target in targets, f"{page.name}: make {target}"


def test_commands_are_found_in_pages_at_all():
    assert named("`setpoint run --json`") == [("run", " --json")]
    assert len(named(README)) >= 10
