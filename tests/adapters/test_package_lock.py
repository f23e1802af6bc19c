"""The package lock: complete, stable, and quick."""

import importlib.metadata
import random
import re

from setpoint.adapters.package_lock import installed_packages, lock_digest


def install(folder, name, version):
    place = folder / name
    place.mkdir(parents=True)
    (place / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {version[0]}\nVersion: {version[1]}\n"
    )


def test_every_distribution_is_listed_as_its_metadata_says():
    expected = set()
    for distribution in importlib.metadata.distributions():
        name = re.sub(r"[-_.]+", "-", distribution.metadata["Name"]).lower()
        expected.add(f"{name}=={distribution.version}")
    assert set(installed_packages()) == expected
    assert "numpy" in {package.split("==")[0] for package in installed_packages()}


def test_digest_is_stable_and_order_does_not_matter():
    packages = list(installed_packages())
    digest = lock_digest(packages)
    random.Random(3).shuffle(packages)
    assert lock_digest(packages) == digest
    assert lock_digest([*packages, "x==1"]) != digest


def test_any_version_changes_the_digest(tmp_path):
    install(tmp_path / "a", "Foo_Bar-1.0.dist-info", ("Foo_Bar", "1.0"))
    install(tmp_path / "b", "Foo_Bar-1.1.dist-info", ("Foo_Bar", "1.1"))
    old, new = (installed_packages([str(tmp_path / name)]) for name in "ab")
    assert (old, new) == (("foo-bar==1.0",), ("foo-bar==1.1",))
    assert lock_digest(old) != lock_digest(new)


def test_first_on_the_path_counts(tmp_path):
    install(tmp_path / "a", "foo-1.0.dist-info", ("foo", "1.0"))
    install(tmp_path / "b", "foo-2.0.dist-info", ("foo", "2.0"))
    paths = [str(tmp_path / "a"), str(tmp_path / "b")]
    assert installed_packages(paths) == ("foo==1.0",)


def test_metadata_is_read_where_the_folder_does_not_say(tmp_path):
    install(tmp_path, "odd.dist-info", ("Odd", "3.1"))
    (tmp_path / "old-2.0-py3.11.egg-info").mkdir()
    assert installed_packages([str(tmp_path)]) == ("odd==3.1", "old==2.0")


def test_what_has_no_name_is_left_out(tmp_path):
    (tmp_path / "broken.dist-info").mkdir()
    assert installed_packages([str(tmp_path)]) == ()
