"""What a contract withholds never reaches the log: not by any door, not for any version, not in an error."""

import msgspec
import pytest
from tests.gateway.conftest import COLUMNS, REQUEST

from setpoint.adapters.log.secret import LogSecret
from setpoint.adapters.log.sqlite_log import SqliteLog
from setpoint.errors import DeploymentError
from setpoint.facts.log_rule import change_of
from setpoint.gateway.serving import serve

RULES = {"tenure": "round 10", "region": "hash", "charges": "drop", "customer_id": "hash"}


def opened(project):
    return SqliteLog(project.folder / "log.db")


def told(project):
    """Return the inputs of each answer in the log, without the prefix."""
    lines = opened(project).window(0.0, 1e12).to_pylist()
    return [
        {name.removeprefix("feature."): line[name] for name in line if name.startswith("feature.")}
        for line in lines
    ]


def hashed(project, column, value):
    return change_of("hash", column, LogSecret(project.folder / "log.db")())(value)


def bytes_on_disk(project):
    return b"".join(path.read_bytes() for path in project.folder.glob("log.db*"))


@pytest.fixture
def serving(project, open_client):
    """Open a client whose log keeps what `kept` says, or each bundle where that is None."""

    def start(kept, request=REQUEST):
        project.add(1, request=request)
        project.add(2, request=request)
        project.deploy(1, {1: 1.0}, log="durable", kept=kept)
        return open_client()

    return start


def test_the_log_has_what_the_document_says_and_nothing_else_of_it(serving, project, row):
    client = serving(RULES)
    given = row | {"region": "Smalltown-7", "tenure": 47, "charges": 70.515625}
    assert client.post("/predict", given).status == 200
    assert client.post("/predict", given, {b"x-setpoint-version": b"2"}).status == 200
    assert client.post("/v1/predict", [[47, 70.515625, True, None, "Smalltown-7"]]).status == 200
    region = hashed(project, "region", "Smalltown-7")
    whole = {"tenure": 50.0, "paperless": True, "plan": "monthly", "region": region}
    assert told(project) == [whole, whole, whole | {"plan": None}]
    key = hashed(project, "customer_id", "C-1")
    assert len(opened(project).of_keys([key])[key]) == 2
    written = bytes_on_disk(project)
    assert b"Smalltown" not in written
    assert msgspec.msgpack.encode(70.515625) not in written
    assert b"C-1" not in written


def test_the_answer_itself_is_that_of_the_whole_row(serving, project, row):
    client = serving(RULES)
    withheld = client.post("/predict", row).content
    project.deploy(2, {1: 1.0}, kept={})
    client.until(lambda: client.station.follower.serving.deployment.generation == 2)
    assert client.post("/predict", row).content["probability"] == withheld["probability"]


def test_without_a_word_in_the_document_the_bundle_says_it(serving, project, row):
    columns = [one | {"log": RULES.get(one["name"], "keep")} for one in COLUMNS]
    client = serving(None, REQUEST | {"columns": columns, "key_log": "drop"})
    client.post("/predict", row)
    assert told(project)[0]["tenure"] == 0.0
    assert "charges" not in told(project)[0]
    assert b"C-1" not in bytes_on_disk(project)


def test_a_document_without_rules_keeps_all_whatever_a_bundle_says(serving, project, row):
    columns = [one | {"log": "drop"} for one in COLUMNS]
    client = serving({}, REQUEST | {"columns": columns})
    client.post("/predict", row)
    assert told(project)[0]["charges"] == 70.5


def test_the_log_says_itself_what_was_withheld(serving, project, row):
    serving(RULES).post("/predict", row)
    with opened(project)._file.reading() as connection:
        (document,) = connection.execute("SELECT document FROM answerers").fetchone()
    told = msgspec.json.decode(document)
    assert told["withheld"] == RULES
    assert told["columns"] == ["tenure", "paperless", "plan", "region"]


def test_a_failure_of_the_model_is_logged_without_its_words(serving, project, row):
    client = serving(RULES)
    failing = client.station.follower.serving.versions[1].batcher.runner

    def run(_):
        raise ValueError("cannot read 'Smalltown-7'")

    failing.run = run
    answer = client.post("/predict", row)
    assert answer.status == 500
    assert "Smalltown-7" in answer.content["error"]  # the one who asked may read it
    assert opened(project).window(0.0, 1e12)["error"].to_pylist() == ["ValueError"]


def test_nothing_to_withhold_makes_no_salt_and_costs_no_step(serving, project, row):
    client = serving({"elsewhere": "drop", "charges": "keep"})
    client.post("/predict", row)
    assert client.station.follower.serving.only.withholding is None
    assert not (project.folder / "log.salt").exists()


@pytest.mark.parametrize("kept", [{"tenure": "hide"}, {"region": "hash"}])
def test_a_rule_that_cannot_be_kept_keeps_the_document_from_taking_force(
    serving, project, row, kept
):
    client = serving({})
    (project.folder / "log.salt").write_text("no salt")
    deployment = project.deploy(2, {1: 1.0}, log="durable", kept=kept)
    versions = client.station.follower.serving.versions
    with pytest.raises(DeploymentError, match=r"hide|log\.salt"):
        serve(deployment, versions)
    client.until(lambda: client.station.follower.refused)
    assert client.station.follower.serving.deployment.generation == 1
