"""Evidence as one `.npz` file: arrays and a JSON text, never a pickle."""

from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from setpoint.errors import DataError
from setpoint.facts.evidence import Evidence, Perturbation, Scores

_PARTS = ("label", "probability", "value")


def write_evidence(evidence: Evidence, path: Path) -> None:
    """Write evidence to `path`, a new file whose name ends in `.npz`."""
    arrays: dict[str, npt.NDArray[Any]] = {
        "truth_label": evidence.truth_label,
        "truth_value": evidence.truth_value,
        "champion_unseen": evidence.champion_unseen,
        "latency_s": evidence.latency_s,
        **_scores("candidate", evidence.candidate),
    }
    if evidence.champion is not None:
        arrays |= _scores("champion", evidence.champion)
    if evidence.cluster is not None:
        arrays["cluster"] = evidence.cluster
    for number, values in enumerate(evidence.columns.values()):
        arrays[f"column.{number}"] = values.astype(str) if values.dtype == object else values
    for number, scores in enumerate(evidence.baseline.values()):
        arrays |= _scores(f"baseline.{number}", scores)
    for number, what_if in enumerate(evidence.perturbations):
        arrays |= _scores(f"perturbation.{number}", what_if.scores)
        arrays[f"perturbation.{number}.rows"] = what_if.rows
    about = {
        "classes": evidence.classes,
        "ordered": evidence.ordered,
        "columns": list(evidence.columns),
        "baselines": list(evidence.baseline),
        "gates": [what_if.gate for what_if in evidence.perturbations],
        "size_bytes": evidence.size_bytes,
    }
    arrays["about"] = np.frombuffer(msgspec.json.encode(about), dtype=np.uint8)
    with path.open("wb") as file:
        np.savez(file, allow_pickle=False, **arrays)


def read_evidence(path: Path) -> Evidence:
    """Return the evidence in a file.

    Raises:
        DataError: The file is not there, or is not evidence.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            return _read(dict(file))
    except (OSError, ValueError, KeyError, msgspec.DecodeError) as error:
        msg = f"cannot read the evidence {path}: {error}"
        raise DataError(msg) from error


def _read(arrays: dict[str, npt.NDArray[Any]]) -> Evidence:
    about = msgspec.json.decode(arrays["about"].tobytes())
    return Evidence(
        classes=tuple(about["classes"]),
        truth_label=arrays["truth_label"],
        truth_value=arrays["truth_value"],
        candidate=_scores_of("candidate", arrays),
        champion=_scores_of("champion", arrays) if "champion.label" in arrays else None,
        champion_unseen=arrays["champion_unseen"],
        ordered=about["ordered"],
        cluster=arrays.get("cluster"),
        columns={name: arrays[f"column.{at}"] for at, name in enumerate(about["columns"])},
        baseline={
            name: _scores_of(f"baseline.{at}", arrays) for at, name in enumerate(about["baselines"])
        },
        perturbations=tuple(
            Perturbation(
                gate=gate,
                scores=_scores_of(f"perturbation.{at}", arrays),
                rows=arrays[f"perturbation.{at}.rows"],
            )
            for at, gate in enumerate(about["gates"])
        ),
        latency_s=arrays["latency_s"],
        size_bytes=about["size_bytes"],
    )


def _scores(name: str, scores: Scores) -> dict[str, npt.NDArray[Any]]:
    return {f"{name}.{part}": getattr(scores, part) for part in _PARTS}


def _scores_of(name: str, arrays: dict[str, npt.NDArray[Any]]) -> Scores:
    return Scores(**{part: arrays[f"{name}.{part}"] for part in _PARTS})
