"""Which version answers a request: a race of the versions, by salted hashes of a sticky value and by their weights.

Rules:
1. The same value under the same salt and weights has the same version, in every process and on every machine (but for
   two times of a race that differ by a rounding of the logarithm: one draw in 10**15).
2. Each version has a time on each value, exponential with its weight as the rate; the least time answers. So the share
   of values that a version has is its weight, exactly: its propensity.
3. Where weights change, few customers move. If one version gains or loses and the others keep their proportions, or if
   there are two, only those move that must. Else the share that moves is at most 2 d / (1 + d) where d must, which no
   rule that knows only the present weights can undercut (see docs/adr/0022-races-and-shadows.md).
4. A new salt is a new draw: releases do not share their canaries.

Standard library, numpy and facts only: gateways import this.
"""

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from math import inf, log
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from setpoint.facts.deployment import Deployment

if TYPE_CHECKING:
    from hashlib import blake2b

_BITS = 53  # a double holds every multiple of 2**-53 in [0, 1] exactly
_SHIFT = 64 - _BITS
_SCALE = 2.0**-_BITS

_Racer = tuple[Callable[[], "blake2b"], float]
"""Gives a hash that has taken in the salt and a version; and one over the version's share."""


def sticky_point(salt: str, value: str) -> float:
    """Return the point of `value` under `salt`: a multiple of 2**-53 in [0, 1).

    Example:
        >>> sticky_point("release-1", "7590-VHVEG") == sticky_point("release-1", "7590-VHVEG")
        True
        >>> sticky_point("release-1", "7590-VHVEG") == sticky_point("release-2", "7590-VHVEG")
        False
    """
    # The length keeps ("a", "bc") and ("ab", "c") apart.
    text = f"{len(salt)}:{salt}:{value}".encode("utf-8", "surrogatepass")
    head = hashlib.blake2b(text, digest_size=8).digest()
    return (int.from_bytes(head, "big") >> _SHIFT) * _SCALE


def sticky_points(salt: str, values: Iterable[str]) -> npt.NDArray[np.float64]:
    """Return the point of each value under `salt`, equal to `sticky_point` bit for bit.

    Args:
        salt: The deployment's salt.
        values: n sticky values; repeated ones are hashed once.

    Returns:
        Points in [0, 1), shape (n,).
    """
    known: dict[str, float] = {}
    prefix = hashlib.blake2b(f"{len(salt)}:{salt}:".encode("utf-8", "surrogatepass"), digest_size=8)
    points = []
    for value in values:
        point = known.get(value)
        if point is None:
            hasher = prefix.copy()
            hasher.update(value.encode("utf-8", "surrogatepass"))
            point = (int.from_bytes(hasher.digest(), "big") >> _SHIFT) * _SCALE
            known[value] = point
        points.append(point)
    return np.array(points, dtype=np.float64)


@dataclass(frozen=True, slots=True)
class Assignment:
    """A deployment's weights, ready for draws.

    Args:
        salt: Text that is hashed with the sticky value.
        versions: Versions that have traffic, ascending; one or more.
        shares: Share of traffic of each of them, above 0: the propensity that the log keeps.
    """

    salt: str
    versions: tuple[int, ...]
    shares: tuple[float, ...]
    _racers: tuple[_Racer, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        racers = tuple(
            (_prefix(self.salt, version).copy, 1.0 / share)
            for version, share in zip(self.versions, self.shares, strict=True)
        )
        object.__setattr__(self, "_racers", racers)

    def __reduce__(self) -> tuple[Any, ...]:  # hashes cannot be sent to another process
        return Assignment, (self.salt, self.versions, self.shares)

    def version(self, value: str) -> int:
        """Return the version that answers the request with this sticky value."""
        return self.versions[self._place(value)]

    def versions_of(self, values: Iterable[str]) -> npt.NDArray[np.int64]:
        """Return the version of each value, shape (n,), equal to `version` one by one; repeated ones race once."""
        known: dict[str, int] = {}
        found = []
        for value in values:
            version = known.get(value)
            if version is None:
                version = known[value] = self.version(value)
            found.append(version)
        return np.array(found, dtype=np.int64)

    def _place(self, value: str) -> int:
        """Return who wins the race on a value."""
        if len(self.versions) == 1:
            return 0
        text = value.encode("utf-8", "surrogatepass")
        winner, least = 0, inf
        for place, (copy, slowness) in enumerate(self._racers):
            hasher = copy()
            hasher.update(text)
            # A uniform draw in (0, 1]; minus its logarithm is exponential.
            head = int.from_bytes(hasher.digest(), "big") >> _SHIFT
            time = -log((head + 1) * _SCALE) * slowness
            if time < least:
                winner, least = place, time
        return winner


def cut(deployment: Deployment) -> Assignment:
    """Return the assignment that a deployment's weights mean; versions without weight get no request.

    Raises:
        DeploymentError: The document contradicts itself.
    """
    deployment.require_sound()
    shares = {int(version): share for version, share in deployment.weights.items() if share > 0}
    order = sorted(shares)
    return Assignment(
        salt=deployment.salt,
        versions=tuple(order),
        shares=tuple(shares[version] for version in order),
    )


def _prefix(salt: str, version: int) -> "blake2b":
    """Return a hash that has taken in a salt and a version; their length keeps them apart from what follows."""
    text = f"{len(salt)}:{salt}:{version}:".encode("utf-8", "surrogatepass")
    return hashlib.blake2b(text, digest_size=8)
