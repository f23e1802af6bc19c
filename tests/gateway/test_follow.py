"""Tests of following the deployment document: whole or not at all, and the last good one stays."""

import pickle
import threading

import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression

from setpoint.facts.deployment import Deployed
from setpoint.gateway import follow


@pytest.fixture(autouse=True)
def _quick_to_try_again(monkeypatch):
    monkeypatch.setattr(follow, "_RETRY_S", 0.2)


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
        ({"bundle": "https://me:s3cret@host/b?sig=s3cret"}, "it lies at an address"),
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
    assert "s3cret" not in str(ready.content)  # anybody may read it
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


def damage(project, version):
    """Alter a file of a bundle on disk, and return what puts it right again."""
    path = project.folder / project.prepared[version].bundle / "model.onnx"
    sound = path.read_bytes()
    path.write_bytes(sound[:-1])
    return lambda: path.write_bytes(sound)


ALTERED = "model.onnx does not have the digest of the deployment document"


def test_version_is_refused_by_name_from_the_second_try_on(client, project):
    follower = client.station.follower
    project.add(3, project.models[2])
    damage(project, 3)
    project.deploy(2, {1: 0.5, 3: 0.5})
    wait_for_refusal(client, ALTERED)
    assert (follower.failures, follower.ready, follower.problem) == ({}, (1, 2), "")
    client.until(lambda: follower.failures)
    assert list(follower.failures) == [3]
    assert follower.failures[3].startswith(ALTERED)
    project.deploy(3, {1: 1.0}, prepare=(project.prepared[1],))
    client.until(lambda: generation(client) == 3)
    assert (follower.failures, follower.ready, refused(client)) == ({}, (1,), "")


def test_version_that_is_only_kept_ready_holds_up_no_document(client, project, row):
    project.add(3, project.models[2])
    repair = damage(project, 3)
    project.deploy(2, {1: 1.0})
    client.until(lambda: generation(client) == 2)
    follower = client.station.follower
    client.until(lambda: follower.failures)
    assert (list(follower.failures), refused(client)) == ([3], "")
    pinned = {b"x-setpoint-version": b"3"}
    assert client.post("/predict", row, pinned).status == 404
    repair()
    client.until(lambda: 3 in follower.serving.versions)
    assert (follower.failures, generation(client)) == ({}, 2)
    assert client.post("/predict", row, pinned).content["model_version"] == "3"


def test_gateway_that_starts_beside_a_damaged_challenger_serves_the_champion(
    project, open_client, row
):
    project.add(1)
    project.add(2)
    repair = damage(project, 2)
    project.deploy(7, {1: 0.5, 2: 0.5})
    client = open_client()
    assert ALTERED in refused(client)
    answers = [client.post("/predict", row | {"customer_id": n}).content for n in range(40)]
    assert {(one["model_version"], one["generation"]) for one in answers} == {("1", 0)}
    ready = client.get("/readyz")
    assert (ready.status, ready.content["weights"]) == (200, {"1": 1.0})
    assert ALTERED in ready.content["warnings"][0]
    repair()
    client.until(lambda: generation(client) == 7)
    answers = [client.post("/predict", row | {"customer_id": n}).content for n in range(40)]
    assert {one["model_version"] for one in answers} == {"1", "2"}


def test_gateway_that_starts_beside_a_damaged_champion_is_not_ready(project, open_client):
    project.add(1)
    project.add(2)
    damage(project, 1)
    project.deploy(1, {1: 0.5, 2: 0.5})
    client = open_client(ready=False)
    follower = client.station.follower
    client.until(lambda: follower.failures)
    assert (list(follower.failures), follower.ready, follower.serving) == ([1], (2,), None)
    assert client.get("/readyz").status == 503


def test_what_is_loaded_is_not_loaded_again_while_another_version_is_tried(client, project):
    project.add(3, project.models[2])
    damage(project, 3)
    follower = client.station.follower
    loads = []
    load = follower._load

    def counted(deployed):
        loads.append(deployed.version)
        return load(deployed)

    follower._load = counted
    project.deploy(2, {1: 0.4, 2: 0.3, 3: 0.3}, prepare=(*project.prepared.values(),))
    client.until(lambda: follower.failures)
    assert loads == [3, 3]


def test_model_that_raises_anything_while_it_is_loaded_refuses_its_version_alone(client, project):
    follower = client.station.follower
    project.add(3, project.models[2])

    def failing(_deployed):
        raise MemoryError("no room")

    follower._load = failing
    project.deploy(2, {1: 0.5, 3: 0.5})
    client.until(lambda: follower.failures)
    assert follower.failures == {3: "MemoryError: no room"}


def test_document_that_no_version_is_to_blame_for_is_a_problem_of_its_own(client, project):
    follower = client.station.follower
    project.path.write_bytes(b"{}")
    wait_for_refusal(client, "is not a deployment document")
    assert follower.problem == refused(client)
    project.deploy(2, {1: 1.0})
    client.until(lambda: generation(client) == 2)
    assert (follower.problem, refused(client)) == ("", "")


def test_version_that_left_the_document_is_let_go(client, project):
    follower = client.station.follower
    project.deploy(2, {1: 1.0}, prepare=(project.prepared[1],))
    client.until(lambda: generation(client) == 2)
    assert (follower.ready, list(follower.serving.versions)) == ((1,), [1])


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


class Far:
    """A document at a place that may be out of reach."""

    def __init__(self, documents):
        self._documents = documents
        self.words = ""

    def mark(self):
        return self._documents.mark()

    def current(self):
        return self._documents.current()

    def trouble(self):
        return self.words

    def close(self):
        self._documents.close()


def test_place_out_of_reach_changes_nothing_is_told_once_and_for_how_long(client, project, row):
    follower, told = client.station.follower, []
    far = follower._documents = Far(follower._documents)
    follower._tell = told.append
    assert follower.unreachable_s == 0.0
    far.words = "https://h/d cannot be fetched since noon"
    wait_for_refusal(client, "since noon")
    client.until(lambda: follower.unreachable_s > 0.2)
    assert client.post("/predict", row).content["generation"] == 1
    ready = client.get("/readyz")
    assert (ready.status, ready.content["warnings"]) == (200, [far.words])
    project.deploy(2, {2: 1.0}, champion=2)
    client.until(lambda: generation(client) == 2)
    project.path.write_text("{")
    wait_for_refusal(client, "is not a deployment document")
    assert refused(client).endswith(f"; {far.words}")
    project.deploy(3, {1: 1.0})
    client.until(lambda: generation(client) == 3)
    far.words = ""
    client.until(lambda: not refused(client))
    assert follower.unreachable_s == 0.0
    assert [one.count("since noon") for one in told] == [1, 1, 1, 0]
