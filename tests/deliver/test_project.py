from setpoint.contract.parse import parse
from setpoint.deliver.project import CONTRACT, ProjectText, project_files

TEXT = ProjectText(
    "m",
    "y",
    "binary",
    "data/t.csv",
    "`accuracy beats majority`",
    "model: {name: m, task: binary}\n",
    "{}\n",
)


def test_every_overlay_reads_over_the_contract():
    files = project_files(TEXT)
    for env in ("dev", "staging", "prod"):
        assert (
            parse(files[CONTRACT], overlays=[(env, files[f"configs/{env}.yaml"])]).model.name == "m"
        )


def test_the_readme_says_what_the_model_is():
    readme = project_files(TEXT)["README.md"]
    assert readme.startswith("# m\n")
    assert "predicts | `y` (binary)" in readme
    assert "$" not in readme


def test_the_test_of_a_project_is_python():
    compile(project_files(TEXT)["tests/test_contract.py"], "test_contract.py", "exec")


def test_state_is_kept_out_of_version_control():
    assert ".setpoint/" in project_files(TEXT)[".gitignore"].splitlines()
