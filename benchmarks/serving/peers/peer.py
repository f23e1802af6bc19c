"""The protocol of a peer."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

SCIKIT_LEARN = ("scikit-learn==1.9.1", "numpy==2.4.6", "pandas==3.1.1")
"""What a pickled model needs wherever it is loaded."""
MODEL = "model.pkl"
"""File of the estimator, for rows as arrays."""
NAMED_MODEL = "named_model.pkl"
"""File of the same estimator, for data frames."""


@dataclass(frozen=True)
class Peer:
    """One server. It is started in a folder with `MODEL`, `NAMED_MODEL` and its own files.

    Args:
        name: How the report calls it.
        requirements: Packages of its environment.
        command: How it is started, in the foreground; `$port` and `$spare0` … stand for ports.
        path: Path that rows are posted to.
        body: Makes the body of a row.
        read: Finds the probability of the positive class in the body of an answer.
        files: Texts to write before, by file name, with the same names of ports.
        prepare: What is run once before, in its environment.
        variables: Environment variables.
    """

    name: str
    requirements: Sequence[str]
    command: Sequence[str]
    path: str
    body: Callable[[Sequence[float]], bytes]
    read: Callable[[bytes], float]
    files: Mapping[str, str] = field(default_factory=dict)
    prepare: Sequence[str] = ()
    variables: Mapping[str, str] = field(default_factory=dict)
