"""Tests of the deployment document as a file."""

import os
import threading
from pathlib import Path

import pytest

from setpoint.adapters.file_deployments import FileDeployments
from setpoint.errors import DeploymentError
from setpoint.facts.deployment import Deployed, Deployment
from setpoint.facts.gateway_report import GatewayReport


def document(generation, **changes):
    fields = {
        "model": "churn",
        "generation": generation,
        "contract": "c",
        "prepare": (Deployed(version=1, bundle="b", artifact="a"),),
        "weights": {"1": 1.0},
        "champion": 1,
    }
    return Deployment(**(fields | changes))


@pytest.fixture
def deployments(tmp_path):
    return FileDeployments(tmp_path / "store" / "deployment.json")


def test_published_document_is_the_current_one(deployments):
    assert deployments.current() is None
    assert deployments.mark() is None
    deployments.publish(document(1))
    assert deployments.current() == document(1)


def test_mark_changes_with_the_document_and_not_by_repeating_it(deployments):
    deployments.publish(document(1))
    mark = deployments.mark()
    deployments.publish(document(1))
    assert deployments.mark() == mark
    deployments.publish(document(2))
    assert deployments.mark() != mark


def test_document_that_contradicts_itself_is_not_published(deployments):
    deployments.publish(document(1))
    with pytest.raises(DeploymentError):
        deployments.publish(document(2, weights={"1": 0.5}))
    assert deployments.current() == document(1)


def test_reader_never_sees_half_a_document(deployments):
    deployments.publish(document(0))
    seen, stop = [], threading.Event()

    def read():
        while not stop.is_set():
            seen.append(deployments.current().generation)

    thread = threading.Thread(target=read)
    thread.start()
    for generation in range(1, 100):
        deployments.publish(document(generation, salt="x" * 20_000 * (generation % 3)))
    stop.set()
    thread.join(10)
    assert seen == sorted(seen)


def test_nothing_is_left_beside_the_file(deployments, tmp_path):
    deployments.publish(document(1))
    deployments.publish(document(2))
    assert [path.name for path in (tmp_path / "store").iterdir()] == ["deployment.json"]


@pytest.mark.parametrize("text", [b"", b"{}", b"[]", b"\xff", b'{"model": 1}'])
def test_file_that_is_no_document_is_an_error_that_names_it(deployments, tmp_path, text):
    (tmp_path / "store").mkdir()
    (tmp_path / "store" / "deployment.json").write_bytes(text)
    with pytest.raises(DeploymentError, match="is not a deployment document"):
        deployments.current()


def test_folder_that_cannot_be_made_is_an_error(tmp_path):
    (tmp_path / "store").write_text("a file")
    with pytest.raises(DeploymentError, match="cannot write the deployment document"):
        FileDeployments(tmp_path / "store" / "deployment.json").publish(document(1))


def test_document_of_a_newer_writer_is_read(deployments, tmp_path):
    deployments.publish(document(1))
    path = tmp_path / "store" / "deployment.json"
    path.write_text(path.read_text().replace('"model"', '"new_field": [1], "model"', 1))
    assert deployments.current() == document(1)


def report(name="host-1-a", **changes):
    return GatewayReport(gateway=name, **({"at": 5.0, "generation": 1} | changes))


def test_last_report_of_each_gateway_stands(deployments):
    assert deployments.reports() == ()
    deployments.report(report("b"))
    deployments.report(report("a", refused={"2": "no"}, ready=(1,)))
    deployments.report(report("b", generation=2, at=9.0))
    assert deployments.reports() == (
        report("a", refused={"2": "no"}, ready=(1,)),
        report("b", generation=2, at=9.0),
    )


def test_gateway_that_ends_takes_its_report_away(deployments):
    deployments.report(report("a"))
    deployments.report(report("b"))
    for _ in range(2):
        deployments.withdraw("a")
    assert [one.gateway for one in deployments.reports()] == ["b"]


def test_what_is_no_report_is_passed_over(deployments, tmp_path):
    deployments.report(report("a"))
    folder = tmp_path / "store" / "gateways"
    for name, text in {
        "x.json": b"",
        "y.json": b"\xff{",
        "z.json": b'{"gateway": 1}',
        ".a.json": b'{"gateway": "hidden", "at": 1}',
        "notes.txt": b"mine",
    }.items():
        (folder / name).write_bytes(text)
    assert deployments.reports() == (report("a"),)


def test_reports_of_gateways_that_were_killed_long_ago_are_removed(deployments, tmp_path):
    for name in ("old", "new"):
        deployments.report(report(name))
    path = tmp_path / "store" / "gateways" / "old.json"
    then = path.stat().st_mtime - 4000
    os.utime(path, (then, then))
    deployments.report(report("new"))
    assert [one.gateway for one in deployments.reports()] == ["new"]


def test_reports_change_no_mark_of_the_document(deployments):
    deployments.publish(document(1))
    mark = deployments.mark()
    deployments.report(report())
    assert (deployments.mark(), deployments.current()) == (mark, document(1))


def test_report_that_cannot_be_written_is_an_error(deployments, tmp_path):
    (tmp_path / "store").mkdir()
    (tmp_path / "store" / "gateways").write_text("a file")
    with pytest.raises(DeploymentError, match="cannot write the report"):
        deployments.report(report())


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (Path.mkdir, "is no regular file|Is a directory"),
        (os.mkfifo, "is no regular file"),
        (lambda path: path.symlink_to("/dev/zero"), "is no regular file"),
        (lambda path: path.symlink_to(path.name), "Too many levels"),
        (lambda path: path.write_bytes(b" " * 1_000_001), "more than 1,000,000 bytes"),
    ],
)
def test_what_is_no_file_or_has_no_end_is_not_read_to_its_end(deployments, tmp_path, make, reason):
    (tmp_path / "store").mkdir()
    make(tmp_path / "store" / "deployment.json")
    with pytest.raises(DeploymentError, match=reason):
        deployments.current()
