"""The folder of a finished job: names of its parts, and the facts in it.

```
native/model.pkl   the fitted estimator, written as soon as the fit is over
bundle/            what gateways load
evidence.npz       the answers that gates judge
result.json        the facts; written last, so that a folder with it is whole
```

Light on purpose: whoever only asks for a result imports no scikit-learn.
"""

from pathlib import Path

import msgspec

from setpoint.facts.training import TrainingResult

RESULT = "result.json"
EVIDENCE = "evidence.npz"
NATIVE = "native/model.pkl"
BUNDLE = "bundle"


def write_result(result: TrainingResult, folder: Path) -> None:
    """Write the facts of a job into its folder."""
    (folder / RESULT).write_bytes(msgspec.json.format(msgspec.json.encode(result), indent=2))


def read_result(folder: Path) -> TrainingResult | None:
    """Return the facts in a job's folder, or None where there are none or not whole ones."""
    try:
        return msgspec.json.decode((folder / RESULT).read_bytes(), type=TrainingResult)
    except (OSError, msgspec.DecodeError):
        return None
