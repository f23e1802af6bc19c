"""Tests of following the deployment document: whole or not at all, and the last good one stays."""

import pickle
import threading

import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression

from setpoint.facts.deployment import Deployed


def generation(client):
    return client.station.follower.generation


def refused(client):
    return client.station.follower.refused


def wait_for_refusal(client, reason):
    client.until(lambda: reason in refused(client))


def test_next_document_takes_force_and_is_seen_in_answers(client, project, row):
    before = client.post("/predict", row).content
    project.deploy(2, {1: 0.0, 2: 1.0}, champion=2)
    client.until(lambda: generation(client) == 2)
    after = client.post("/predict", row).content
    assert (before["generation"], before["model_version"], before["prediction"]) == (1, "1", 1)
    assert (after["generation"], after["model_version"], after["prediction"]) == (2, "2", 0)


def test_version_that_stays_is_not_loaded_again(client, project):
    first = client.station.follower.serving.versions[1]
    project.deploy(2, {1: 0.5, 2: 0.5})
    client.until(lambda: generation(client) == 2)
    assert client.station.follower.serving.versions[1] is first


def test_canary_gets_its_share_and_a_customer_stays_on_one_version(client, project, row):
    project.deploy(2, {1: 0.8, 2: 0.2}, sticky="customer_id", salt="r-1")
    client.until(lambda: generation(client) == 2)
    chosen = {}
    for _ in range(2):
        for number in range(300):
            content = client.post("/predict", row | {"customer_id": f"C-{number}"}).content
            assert chosen.setdefault(number, content["model_version"]) == content["model_version"]
    assert 35 <= sum(version == "2" for version in chosen.values()) <= 90


def test_number_and_text_of_a_customer_are_the_same_customer(client, project, row):
    project.deploy(2, {1: 0.5, 2: 0.5}, sticky="customer_id", salt="r-1")
    client.until(lambda: generation(client) == 2)
    for number in range(30):
        answers = {
            client.post("/predict", row | {"customer_id": key}).content["model_version"]
            for key in (number, str(number), float(number))
        }
        assert len(answers) == 1


def test_without_the_sticky_column_requests_are_drawn_by_their_id(client, project, row):
    project.deploy(2, {1: 0.5, 2: 0.5}, sticky="customer_id")
    client.until(lambda: generation(client) == 2)
    anonymous = row | {"customer_id": None}
    drawn = {client.post("/predict", anonymous).content["model_version"] for _ in range(60)}
    assert drawn == {"1", "2"}
    headers = {b"x-request-id": b"same"}
    pinned = {
        client.post("/predict", anonymous, headers).content["model_version"] for _ in range(9)
    }
    assert len(pinned) == 1


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"artifact": "0" * 64}, "the bundle was altered"),
        ({"bundle": "bundles/none"}, "the folder is not there"),
        ({"bundle": "bad\0name"}, "the folder is not there"),
        ({"runtime": "native"}, "has no model.pkl"),
    ],
)
def test_document_with_a_bad_version_is_refused_and_the_old_one_serves(
    client, project, row, change, reason
):
    good = project.prepared[2]
    fields = {name: getattr(good, name) for name in good.__struct_fields__}
    bad = Deployed(**(fields | {"version": 3} | change))
    project.deploy(2, {1: 0.5, 3: 0.5}, prepare=(project.prepared[1], bad))
    wait_for_refusal(client, reason)
    answer = client.post("/predict", row)
    assert (answer.status, answer.content["generation"]) == (200, 1)
    ready = client.get("/readyz")
    assert ready.status == 200  # the last good document is served: no reason to take traffic away
    assert reason in ready.content["warnings"][0]
    assert "setpoint_deployment_refused 1" in client.get("/metrics").content


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "{}", '{"model": "churn", "generation": "x"}', "\xff"]
)
def test_document_that_is_none_is_refused(client, project, row, text):
    project.path.write_bytes(text.encode("latin-1"))
    wait_for_refusal(client, "is not a deployment document")
    assert client.post("/predict", row).content["generation"] == 1


def test_document_that_disappears_changes_nothing(client, project, row):
    project.path.unlink()
    client.until(lambda: refused(client))
    assert client.post("/predict", row).status == 200


def test_older_document_is_refused(client, project):
    project.deploy(5, {1: 1.0})
    client.until(lambda: generation(client) == 5)
    project.deploy(4, {2: 1.0})
    wait_for_refusal(client, "generation 4 is not newer than generation 5")
    project.deploy(6, {2: 1.0}, champion=2)
    client.until(lambda: generation(client) == 6)
    assert refused(client) == ""


def test_document_of_another_model_is_refused(client, project):
    project.deploy(2, {1: 1.0}, model="fraud")
    wait_for_refusal(client, "of model 'fraud', version 1 is of 'churn'")


def test_document_without_its_champion_is_refused(client, project):
    project.deploy(2, {2: 1.0}, champion=1, prepare=(project.prepared[2],))
    wait_for_refusal(client, "does not prepare its champion")


def test_bundle_that_arrives_late_is_picked_up(client, project):
    deployed = project.prepared[2]
    folder = project.folder / deployed.bundle
    away = folder.rename(project.folder / "away")
    late = Deployed(version=3, bundle=deployed.bundle, artifact=deployed.artifact)
    project.deploy(2, {1: 0.5, 3: 0.5}, prepare=(project.prepared[1], late))
    wait_for_refusal(client, "the folder is not there")
    away.rename(folder)
    client.until(lambda: generation(client) == 2)


def test_request_ends_on_the_version_it_began_with(client, put_runner, project, row):
    """A request that waits for its model while the document changes."""
    began, go_on = threading.Event(), threading.Event()
    original = client.station.follower.serving.versions[1]

    class Slow:
        inline = False

        def run(self, rows):
            began.set()
            assert go_on.wait(10)
            return original.batcher.runner.run(rows)

    put_runner(Slow())
    waiting = client.loop.create_task(client.ask("POST", "/predict", row))
    client.until(began.is_set)
    project.deploy(2, {2: 1.0}, champion=2)
    client.until(lambda: generation(client) == 2)
    new = client.post("/predict", row)
    go_on.set()
    old = client.loop.run_until_complete(waiting)
    assert (old.content["model_version"], old.content["generation"]) == ("1", 1)
    assert (new.content["model_version"], new.content["generation"]) == ("2", 2)


def test_native_version_answers_like_its_onnx(client, project, row):
    frame = pd.DataFrame({"x": [0.0, 1.0]})
    class_order = LogisticRegression().fit(frame, ["Yes", "No"])
    assert list(class_order.classes_) == ["No", "Yes"]
    request = {
        "model": "churn",
        "task": "binary",
        "classes": ["Yes", "No"],  # the estimator's own order is the other one
        "positive": "No",
        "threshold": 0.5,
        "contract": "c" * 64,
        "columns": [{"name": "x", "kind": "float", "nullable": False}],
    }
    project.add(3, pickle.dumps(class_order), request, runtime="native")
    project.deploy(2, {3: 1.0}, champion=3)
    client.until(lambda: generation(client) == 2 or refused(client), timeout_s=30)
    assert refused(client) == ""
    content = client.post("/predict", {"x": 5.0}).content
    assert content["label"] == "No"
    assert content["probability"] == pytest.approx(
        class_order.predict_proba(pd.DataFrame({"x": [5.0]}))[0, 0]
    )
