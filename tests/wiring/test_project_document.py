"""Tests of what a gateway finds in a project: the state's word, a document left behind, wrong names, no project."""

import shutil

import pytest

from setpoint.adapters.file_deployments import FileDeployments
from setpoint.adapters.sql_journal import SqlJournal
from setpoint.control.change import change
from setpoint.errors import JournalError, UsageError
from setpoint.facts.deployment import Deployed, Deployment
from setpoint.facts.state import LoopState
from setpoint.wiring.project_document import project_document

CONTRACT = "model: {name: churn, task: binary}\ndata: {source: t.csv, target: y}\n"


@pytest.fixture(autouse=True)
def no_settings(monkeypatch):
    for name in ("SETPOINT_STORE", "SETPOINT_DATABASE_URL"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def project(tmp_path):
    (tmp_path / "model_contract.yaml").write_text(CONTRACT)
    return tmp_path


def document(generation=1, model="churn"):
    deployed = Deployed(version=1, bundle="/b/1", artifact="a" * 64)
    return Deployment(
        model=model,
        generation=generation,
        contract="c",
        prepare=(deployed,),
        weights={"1": 1.0},
        champion=1,
    )


def commit(folder, deployment, model="churn"):
    """Let the state say this; publish nothing."""
    journal = SqlJournal(folder / ".setpoint" / "state.db", model)
    state, revision = journal.load()
    state = state or LoopState(model=model, contract="c", contract_text="")
    step = change(state, "promote", "test", at=1.0, version=1)
    state = type(state)(
        **{name: getattr(step.state, name) for name in state.__struct_fields__}
        | {"deployment": deployment}
    )
    journal.commit(revision, state, step.events)


def publish(folder, deployment):
    FileDeployments(folder / ".setpoint" / "deployment.json").publish(deployment)


def found(path):
    return FileDeployments(path).current()


@pytest.mark.parametrize("model", ["", "churn"])
def test_document_that_a_killed_pass_left_behind_is_made_what_the_state_says(project, model):
    publish(project, document(1))
    commit(project, document(2))
    path = project_document(project, model)
    assert path == project / ".setpoint" / "deployment.json"
    assert found(path) == document(2)


def test_document_that_is_gone_or_broken_is_made_again(project):
    commit(project, document(2))
    path = project_document(project, "churn")
    assert found(path) == document(2)
    path.write_text("{")
    assert found(project_document(project)) == document(2)


def test_document_that_is_newer_than_the_state_stays(project):
    commit(project, document(1))
    publish(project, document(2))
    assert found(project_document(project)) == document(2)


def test_pass_that_publishes_meanwhile_is_not_undone(project, monkeypatch):
    commit(project, document(1))
    published = FileDeployments.publish

    def race(deployments, deployment):
        if deployment.generation == 1:
            commit(project, document(2))
            published(deployments, document(2))
        published(deployments, deployment)

    monkeypatch.setattr(FileDeployments, "publish", race)
    assert found(project_document(project)) == document(2)


def test_wrong_name_names_the_model_that_is_there(project):
    words = "--model fraud: there is no such model in .*; there is: churn"
    with pytest.raises(UsageError, match=words):
        project_document(project, "fraud")
    publish(project, document())
    with pytest.raises(UsageError, match=words):
        project_document(project, "fraud")
    commit(project, document())
    with pytest.raises(UsageError, match=words):
        project_document(project, "fraud")
    (project / ".setpoint" / "deployment.json").unlink()
    with pytest.raises(UsageError, match=words):
        project_document(project, "fraud")


def test_project_without_a_version_is_waited_for(project):
    path = project_document(project, "churn")
    assert not path.exists()
    assert not path.parent.exists()


def test_store_alone_is_waited_for_and_nothing_at_all_is_no_project(tmp_path):
    with pytest.raises(UsageError, match=r"is no project: .* name --deployment FILE or URL, or"):
        project_document(tmp_path)
    (tmp_path / ".setpoint").mkdir()
    assert project_document(tmp_path).parent == tmp_path / ".setpoint"


def test_several_models_need_a_name(project):
    commit(project, document(), "churn")
    commit(project, document(model="fraud"), "fraud")
    with pytest.raises(UsageError, match="--model churn or --model fraud"):
        project_document(project)
    assert found(project_document(project, "fraud")) == document(model="fraud")


def test_state_that_cannot_be_read_stops_nothing_where_there_is_a_document(project):
    (project / ".setpoint").mkdir()
    (project / ".setpoint" / "state.db").write_bytes(b"no database" * 100)
    with pytest.raises(JournalError):
        project_document(project)
    publish(project, document(3))
    told = []
    assert found(project_document(project, "churn", told.append)) == document(3)
    assert "the document stays as it is, of generation 3" in told[0]


def test_store_and_database_may_lie_elsewhere(project, monkeypatch):
    commit(project, document(1))
    shutil.move(project / ".setpoint" / "state.db", project / "team.db")
    monkeypatch.setenv("SETPOINT_STORE", "elsewhere")
    monkeypatch.setenv("SETPOINT_DATABASE_URL", f"sqlite:///{project / 'team.db'}")
    path = project_document(project, "churn")
    assert (path, found(path)) == (project / "elsewhere" / "deployment.json", document(1))


def test_variables_that_the_contract_names_are_known(project, monkeypatch):
    monkeypatch.setenv("SETPOINT_SLACK_URL", "x")
    with pytest.raises(UsageError, match="unknown setting SETPOINT_SLACK_URL"):
        project_document(project)
    contract = CONTRACT + "# ${SETPOINT_SLACK_URL}\n"
    (project / "model_contract.yaml").write_text(contract)
    project_document(project)
