"""What every gate is told besides its rule and the evidence."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Asking:
    """The circumstances of a judgement.

    Args:
        position: Position of the gate in the contract, which names its what-ifs.
        k: Which candidate since the last promotion this is, from 1: comparisons are judged at alpha / (k (k + 1)).
        seed: Seed of all resampling.
    """

    position: int
    k: int
    seed: int
