"""The behaviour digest: a name for what a model answers, whatever its bytes are.

It is the digest of rounded answers on recorded probe rows. The same inputs and packages on the same kind of machine
give the same digest in any process.
"""

import numpy as np

from setpoint.digest import sha256_bytes, sha256_json
from setpoint.facts.evidence import Floats, Ints, Scores

PROBE_ROWS = 64
"""Most rows that are recorded."""

_DIGITS = 6  # significant ones; beyond them the order of additions shows


def probe_rows(fit_rows: Ints, seed: int) -> Ints:
    """Return at most 64 of the rows fitted on, ascending, chosen by the seed."""
    if len(fit_rows) <= PROBE_ROWS:
        return fit_rows
    chance = np.random.default_rng(seed)
    return np.sort(chance.choice(fit_rows, PROBE_ROWS, replace=False))


def behaviour_of(answers: Scores, classes: tuple[str, ...]) -> str:
    """Return the digest of a model's answers on its probe rows."""
    parts = {
        "classes": list(classes),
        "label": sha256_bytes(answers.label.astype("<i8").tobytes()),
        "probability": _digest(answers.probability),
        "value": _digest(answers.value),
    }
    return sha256_json(parts)


def _digest(values: Floats) -> str:
    size = np.abs(values, where=values != 0, out=np.ones_like(values))
    scale = 10.0 ** (_DIGITS - 1 - np.floor(np.log10(np.maximum(size, 1e-12))))
    rounded = np.rint(values * scale) / scale + 0.0  # + 0.0 turns -0.0 into 0.0
    return sha256_bytes(np.ascontiguousarray(rounded, dtype="<f8").tobytes())
