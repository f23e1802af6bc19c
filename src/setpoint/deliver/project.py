"""The files of a new project: contract, its schema, overlays, a test, a README."""

from dataclasses import dataclass
from string import Template

CONTRACT = "model_contract.yaml"
SCHEMA = "model_contract.schema.json"

_README = Template("""\
# $name

One file says what this model must be: [`model_contract.yaml`](model_contract.yaml). Everything else follows from it.

| | |
|---|---|
| predicts | `$target` ($task) |
| learns from | `$source` |
| judged by | $gates |

## Every day

```
setpoint check              # the contract is sound
setpoint validate $source
setpoint replay             # what this contract would have done over the history
setpoint run                # validate, train, judge, register
setpoint status             # where things stand
pytest                      # the contract and the sample fit together
```

## What is where

- `model_contract.yaml`: read it once from top to bottom; every line is yours to change.
  `setpoint plan` shows what a change changes.
- `data/`: the table that the contract names. Replace it with newer rows, or name another source.
- `configs/`: what an environment says otherwise (`--env prod`).
- `src/`: your own estimators and features (`train.estimator: my_module:function`).
- `tests/`: what must hold in every commit.
- `.setpoint/`: state, ledger, runs and models. It is not under version control.
""")

_TEST = '''\
"""The contract can be read in every environment, and its data keeps it."""

from pathlib import Path

import pytest

from setpoint.wiring.contract_file import read_contract
from setpoint.wiring.validation import validate_source

ROOT = Path(__file__).resolve().parent.parent


@pytest.mark.parametrize("env", ["", "dev", "staging", "prod"])
def test_the_contract_can_be_read(env: str) -> None:
    assert read_contract(ROOT / "model_contract.yaml", env=env).model.name


def test_the_data_keeps_the_contract() -> None:
    report = validate_source(ROOT / "model_contract.yaml")
    assert [f"{check.name} {check.column}: {check.verdict.reason}" for check in report.blocking] == []
'''

_GITIGNORE = """\
.setpoint/
.venv/
__pycache__/
.pytest_cache/
"""

_DEV = """\
# What a developer's machine says otherwise.
serve: {log: buffered}
"""
_STAGING = """\
# What staging says otherwise. Empty: staging is like production.
"""
_PROD = """\
# What production says otherwise.
serve: {log: durable}
"""
_SOURCE = """\
Estimators and features of this model go here. Name one in the contract as `train.estimator: my_module:function`.
"""


@dataclass(frozen=True)
class ProjectText:
    """What the files of a project say.

    Args:
        name: Name of the model.
        target: Column to predict.
        task: `binary`, `multiclass` or `regression`.
        source: The data file, relative to the project.
        gates: The gates, in words.
        contract: Text of the contract.
        schema: Text of its JSON Schema.
    """

    name: str
    target: str
    task: str
    source: str
    gates: str
    contract: str
    schema: str


def project_files(text: ProjectText) -> dict[str, str]:
    """Return the text of each file of a new project, by its path; the data file is not among them."""
    readme = _README.substitute(
        name=text.name, target=text.target, task=text.task, source=text.source, gates=text.gates
    )
    return {
        CONTRACT: text.contract,
        SCHEMA: text.schema,
        "README.md": readme,
        ".gitignore": _GITIGNORE,
        "configs/dev.yaml": _DEV,
        "configs/staging.yaml": _STAGING,
        "configs/prod.yaml": _PROD,
        "src/README.md": _SOURCE,
        "tests/test_contract.py": _TEST,
    }
