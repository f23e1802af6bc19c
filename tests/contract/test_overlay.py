import pytest

from setpoint.contract.parse import parse
from setpoint.contract.plan import plan
from setpoint.errors import ContractError

PROD = """\
model: {name: customer_churn, hyperparameters: {learning_rate: 0.01, n_estimators: 200, max_depth: 10}}
data: {training_version: "2024-05-15_v2", validation_split: 0.2}
serving: {replica_count: 3, resources: {cpu: "1", memory: 2Gi}}
"""


def over(text: str, overlay: str):
    return parse(text, file="c.yaml", overlays=[("configs/prod.yaml", overlay)])


def test_the_overlay_that_teams_have_is_read_under_our_names(whole):
    contract = over(whole, PROD)
    assert contract.train.params == {"learning_rate": 0.01, "n_estimators": 200, "max_depth": 10}
    assert contract.require_data().version == "2024-05-15_v2"
    assert contract.train.split.validation == 0.2
    assert contract.serve.replicas == 3
    assert contract.serve.resources.cpu == 1
    assert contract.serve.resources.memory == 2**31
    paths = {difference.path for difference in plan(parse(whole), contract).differences}
    assert paths == {
        "data.version",
        "train.params.learning_rate",
        "train.params.n_estimators",
        "train.params.max_depth",
        "serve.replicas",
        "serve.resources.memory",
    }


def test_mappings_merge_and_lists_replace(whole):
    contract = over(whole, "gates: [{metric: f1, min: 0.5}]\nmonitor: {drift: {effect: 20%}}\n")
    assert [gate.subject for gate in contract.gates] == ["f1 min 0.5"]
    assert contract.monitor.drift.effect == 0.2
    assert contract.monitor.drift.min_rows == 500
    assert contract.monitor.performance.metric == "f1"


def test_later_overlays_win(minimal):
    overlays = [
        ("a.yaml", "serve: {replicas: 2, log: buffered}"),
        ("b.yaml", "serve: {replicas: 3}"),
    ]
    contract = parse(minimal, overlays=overlays)
    assert (contract.serve.replicas, contract.serve.log) == (3, "buffered")


@pytest.mark.parametrize("nothing", ["", "# nothing yet\n", "{}", "serve: {}\n"])
def test_an_empty_overlay_changes_nothing(whole, nothing):
    assert over(whole, nothing) == parse(whole)


def test_a_key_without_a_value_takes_the_contract_s_away(whole):
    contract = over(whole, "train: {tune: null}\nalerts:\n")
    assert contract.train.tune is None
    assert contract.alerts == ()


def test_null_among_parameters_is_a_value(minimal):
    text = minimal + "train: {params: {max_depth: 3}}"
    assert over(text, "train: {params: {max_depth: null}}").train.params == {"max_depth": None}


def test_problems_name_the_overlay_s_own_file_and_line(minimal):
    with pytest.raises(ContractError) as caught:
        over(minimal, "serve:\n  replicas: many\nmonitor: {window: 24}\nfoo: 1\n")
    found = [(problem.file, problem.line, problem.path) for problem in caught.value.problems]
    assert found == [
        ("configs/prod.yaml", 2, "serve.replicas"),
        ("configs/prod.yaml", 3, "monitor.window"),
        ("configs/prod.yaml", 4, "foo"),
    ]


def test_what_an_overlay_breaks_elsewhere_is_told_where_it_stands(rows):
    with pytest.raises(ContractError) as caught:
        over(rows, "monitor: {window: 24h}")
    assert caught.value.problems[0].file == "configs/prod.yaml"


def test_problems_of_both_files_are_told_at_once(minimal):
    with pytest.raises(ContractError) as caught:
        over(minimal + "train: {seed: x}", "serve: {replicas: x}")
    assert [problem.file for problem in caught.value.problems] == ["c.yaml", "configs/prod.yaml"]


def test_our_name_and_theirs_for_the_same_are_an_error(minimal):
    overlay = "train: {params: {depth: 4}}\nmodel: {hyperparameters: {depth: 3}}\n"
    with pytest.raises(ContractError) as caught:
        over(minimal, overlay)
    (problem,) = caught.value.problems
    assert (problem.file, problem.line, problem.found) == (
        "configs/prod.yaml",
        2,
        "model.hyperparameters",
    )
    assert "train.params in line 1" in problem.message


def test_our_name_and_theirs_for_different_things_are_merged(minimal):
    overlay = "train: {params: {a: 4}}\nmodel: {hyperparameters: {b: 3}}\n"
    overlay += "serving: {replicas: 2}\nserve: {log: buffered}\n"
    contract = over(minimal, overlay)
    assert contract.train.params == {"a": 4, "b": 3}
    assert (contract.serve.replicas, contract.serve.log) == (2, "buffered")


def test_their_names_are_refused_in_the_contract_with_ours(minimal):
    with pytest.raises(ContractError) as caught:
        parse(minimal.replace("time: at", "time: at, validation_split: 0.2"))
    assert caught.value.problems[0].nearest == "train.split.validation"


def test_an_overlay_that_is_no_mapping_is_refused(minimal):
    with pytest.raises(ContractError) as caught:
        over(minimal, "- a\n")
    assert caught.value.problems[0].file == "configs/prod.yaml"


def test_an_overlay_may_use_the_short_form(short):
    contract = over(short, "model: {slas: {target_accuracy: 0.9}}")
    assert contract.gates[1].subject == "accuracy min 0.9"
