"""When a request is sent again, and how long after."""

from dataclasses import dataclass

RETRIED = frozenset({429, 502, 503})
"""Statuses that pass by themselves: too many requests, a gateway that went away behind a proxy, one not ready."""


@dataclass(frozen=True, slots=True)
class Retries:
    """How often, and how patiently.

    Pauses are drawn evenly from nothing up to a bound that doubles: clients that failed together do not come back
    together.

    Args:
        most: Times that a request is sent again, 0 or more.
        first_s: Bound of the first pause.
        longest_s: Bound of any pause, apart from what the gateway asks for itself.
    """

    most: int = 3
    first_s: float = 0.1
    longest_s: float = 2.0

    def pause_s(self, failures: int, chance: float, asked_s: float = 0.0) -> float:
        """Return the pause after so many failures.

        Args:
            failures: Failures so far, 1 or more.
            chance: A number drawn evenly from 0 to 1.
            asked_s: What the gateway asked for (`Retry-After`); the drawn pause comes on top.
        """
        doublings = min(failures - 1, 30)
        return asked_s + chance * min(self.longest_s, self.first_s * 2.0**doublings)
