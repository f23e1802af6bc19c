"""Tests of fetched bundles: held against the document's digest, whole or not at all, inside their folder."""

import json
import os

import pytest
from tests.adapters.web_server import serving

from setpoint.adapters.bundle_mirror import BundleMirror, MirrorBounds
from setpoint.adapters.web_address import WebAddress
from setpoint.adapters.web_fetch import WebFetcher
from setpoint.digest import sha256_bytes, sha256_files
from setpoint.errors import BundleError
from setpoint.facts.deployment import Deployed

FILES = {"model.onnx": b"model" * 100, "request.json": b"{}", "more/profile.json": b"{}"}


@pytest.fixture
def server():
    with serving() as found:
        yield found


@pytest.fixture
def mirror(server, tmp_path):
    fetcher = WebFetcher(2.0)
    address = WebAddress.parse(server.url + "/store/deployment.json", "it")
    bounds = MirrorBounds(bundle=1000, kept=2)
    yield BundleMirror(address, fetcher, tmp_path / "cache", "Bearer s3cret", bounds)
    fetcher.close()


def publish(server, files=None, at="/store/bundles/1", listed=None):
    """Put a bundle on the server and return its artifact digest."""
    files = FILES if files is None else files
    listed = (
        {name: sha256_bytes(body) for name, body in files.items()} if listed is None else listed
    )
    artifact = sha256_files(listed)
    manifest = {"artifact": artifact, "files": listed, "runtime": "onnx"}
    server.pages[f"{at}/manifest.json"] = json.dumps(manifest).encode()
    server.pages.update({f"{at}/{name}": body for name, body in files.items()})
    return artifact


def named(artifact, bundle="bundles/1"):
    return Deployed(version=1, bundle=bundle, artifact=artifact)


def left(mirror):
    return sorted(path.name for path in mirror._folder.iterdir()) if mirror._folder.is_dir() else []


def test_bundle_is_fetched_once_and_lies_under_its_digest(server, mirror):
    artifact = publish(server)
    folder = mirror.local(named(artifact))
    assert folder.name == artifact
    assert {name: (folder / name).read_bytes() for name in FILES} == FILES
    assert (folder / "manifest.json").is_file()
    asked = len(server.asked)
    assert mirror.local(named(artifact)) == folder
    assert len(server.asked) == asked
    assert left(mirror) == [artifact]


def test_fetch_ends_where_the_bundle_is_wanted_no_more(server, tmp_path):
    artifact = publish(server)
    asked = []
    address = WebAddress.parse(server.url + "/store/deployment.json", "it")
    mirror = BundleMirror(address, WebFetcher(2.0), tmp_path / "cache", wanted=asked.append)
    with pytest.raises(BundleError, match="wanted no more"):
        mirror.local(named(artifact))
    assert asked == [artifact]
    assert left(mirror) == []


def test_credentials_go_to_the_document_s_server_alone(server, mirror):
    artifact = publish(server)
    mirror.local(named(artifact))
    assert {headers.get("Authorization") for _, headers in server.asked} == {"Bearer s3cret"}
    with serving() as other:
        artifact = publish(other, {"request.json": b"[]"}, at="/b")
        mirror.local(named(artifact, other.url + "/b/"))
        assert {headers.get("Authorization") for _, headers in other.asked} == {None}


def test_path_of_another_machine_is_looked_for_here_then_beside_the_document(
    server, mirror, tmp_path
):
    (tmp_path / "here").mkdir()
    assert mirror.local(named("a" * 64, str(tmp_path / "here"))) == tmp_path / "here"
    assert server.asked == []
    listed = {name: sha256_bytes(body) for name, body in FILES.items()}
    artifact = publish(server, at=f"/store/bundles/{sha256_files(listed)}")
    assert mirror.local(named(artifact, f"/gone/bundles/{artifact}")).name == artifact


@pytest.mark.parametrize(
    "bundle",
    [
        "",
        "../b",
        "b/../../c",
        "..",
        ".hidden",
        "a//b",
        "a\\b",
        "a%2e%2e/b",
        "a?b",
        "a\nb",
        "x" * 300,
    ],
)
def test_paths_that_leave_the_folder_are_refused(server, mirror, bundle):
    with pytest.raises(BundleError, match="is no path beneath"):
        mirror.local(named("a" * 64, bundle))
    assert server.asked == []


@pytest.mark.parametrize("bundle", ["file:///etc", "ftp://h/b", "https:///b"])
def test_other_schemes_are_refused(mirror, bundle):
    with pytest.raises(BundleError, match="no http:// or https://"):
        mirror.local(named("a" * 64, bundle))


@pytest.mark.parametrize("artifact", ["", "../../x", "A" * 64, "a" * 63, "a" * 64 + "\n"])
def test_digest_that_is_none_is_no_folder_s_name(mirror, artifact):
    with pytest.raises(BundleError, match="is no artifact digest"):
        mirror.local(named(artifact))


@pytest.mark.parametrize(
    "name", ["../evil", "/etc/passwd", "a/../../b", "manifest.json", ".x", "a\\b", "", "a/", "x\n"]
)
def test_manifest_that_names_files_outside_is_refused(server, mirror, name):
    artifact = publish(server, listed={"request.json": "0" * 64, name: "0" * 64})
    with pytest.raises(BundleError, match="odd names"):
        mirror.local(named(artifact))
    assert left(mirror) == []


def test_manifest_of_nothing_or_of_too_much_is_refused(server, mirror):
    for listed in ({}, {f"f{number}": "0" * 64 for number in range(101)}):
        artifact = publish(server, listed=listed)
        with pytest.raises(BundleError, match="1 to 100 may be"):
            mirror.local(named(artifact))


def test_manifest_of_another_bundle_is_refused(server, mirror):
    publish(server)
    with pytest.raises(BundleError, match="the deployment names aaaaaaaaaaaa"):
        mirror.local(named("a" * 64))


@pytest.mark.parametrize(
    ("page", "reason"),
    [
        (b"altered", "does not have the digest"),
        ((404, {}, b""), "it answers 404"),
        ((200, {"Content-Length": "900"}, b"short"), "cannot be fetched"),
        (b"x" * 1001, "more than"),
    ],
)
def test_file_that_is_not_what_it_should_be_leaves_nothing_behind(server, mirror, page, reason):
    artifact = publish(server)
    server.pages["/store/bundles/1/model.onnx"] = page
    if isinstance(page, tuple) and "Content-Length" in page[1]:

        def cut(handler):
            handler.close_connection = True
            return page

        server.pages["/store/bundles/1/model.onnx"] = cut
    with pytest.raises(BundleError, match=reason):
        mirror.local(named(artifact))
    assert left(mirror) == []


def test_all_files_together_are_bounded(server, mirror):
    artifact = publish(server, {f"f{number}": b"x" * 400 for number in range(3)})
    with pytest.raises(BundleError, match=r"400 bytes, more than 200"):
        mirror.local(named(artifact))


def test_copy_that_was_damaged_here_is_fetched_again(server, mirror):
    artifact = publish(server)
    folder = mirror.local(named(artifact))
    (folder / "model.onnx").write_bytes(b"damaged")
    (folder / "added").write_bytes(b"x")
    assert mirror.local(named(artifact)) == folder
    assert (folder / "model.onnx").read_bytes() == FILES["model.onnx"]
    assert not (folder / "added").exists()


def test_bundles_used_last_are_kept_and_what_killed_fetches_left_is_removed(server, mirror):
    artifacts = []
    for number in range(4):
        files = {"request.json": str(number).encode()}
        artifacts.append(publish(server, files, at=f"/store/bundles/{number}"))
    for number, artifact in enumerate(artifacts[:2]):
        folder = mirror.local(named(artifact, f"bundles/{number}"))
        os.utime(folder, (number + 1.0, number + 1.0))
    dead = mirror._folder / ".0123456789abcdef-1"
    dead.mkdir()
    os.utime(dead, (1.0, 1.0))
    os.utime(mirror._folder / artifacts[1], (10_000.0, 10_000.0))
    mirror.local(named(artifacts[2], "bundles/2"))
    assert left(mirror) == sorted([artifacts[1], artifacts[2]])
    mirror.local(named(artifacts[3], "bundles/3"))
    assert left(mirror) == sorted([artifacts[2], artifacts[3]])


def test_folder_that_cannot_be_written_is_told(server, mirror, tmp_path):
    (tmp_path / "cache").write_text("a file")
    with pytest.raises(BundleError, match="cannot be kept"):
        mirror.local(named(publish(server)))
