"""Which version answers a request: a salted hash of a sticky value, cut by the weights of a deployment.

Rules:
1. The same value under the same salt has the same point in [0, 1), in every process and on every machine.
2. Challengers take the points from 0 upwards, in order of version number; the champion has the rest. With one
   challenger, raising its weight moves customers only from the champion to it, and lowering it only back.
3. A new salt is a new draw: releases do not share their canaries.

Standard library, numpy and facts only: gateways import this.
"""

import hashlib
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from setpoint.facts.deployment import Deployment

_BITS = 53  # a double holds every multiple of 2**-53 in [0, 1) exactly
_SHIFT = 64 - _BITS
_SCALE = 2.0**-_BITS


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
    """A deployment's weights, cut for look-up.

    Args:
        salt: Text that is hashed with the sticky value.
        bounds: Upper bound of each version's points but the last, ascending.
        versions: The version of each stretch of points; one more than `bounds`.
        shares: Share of traffic of each of `versions`: the propensity that the log keeps.
    """

    salt: str
    bounds: tuple[float, ...]
    versions: tuple[int, ...]
    shares: tuple[float, ...]

    def version(self, value: str) -> int:
        """Return the version that answers the request with this sticky value."""
        return self.versions[bisect_right(self.bounds, sticky_point(self.salt, value))]

    def version_and_share(self, value: str) -> tuple[int, float]:
        """Return the version that answers, and the share of traffic it has."""
        place = bisect_right(self.bounds, sticky_point(self.salt, value))
        return self.versions[place], self.shares[place]

    def versions_of(self, values: Iterable[str]) -> npt.NDArray[np.int64]:
        """Return the version of each value, shape (n,), equal to `version` one by one."""
        places = np.searchsorted(
            np.asarray(self.bounds, dtype=np.float64),
            sticky_points(self.salt, values),
            side="right",
        )
        return np.asarray(self.versions, dtype=np.int64)[places]


def cut(deployment: Deployment) -> Assignment:
    """Return the assignment that a deployment's weights mean; versions without weight get no request.

    Raises:
        DeploymentError: The document contradicts itself.
    """
    deployment.require_sound()
    shares = {int(version): share for version, share in deployment.weights.items() if share > 0}
    order = sorted(shares, key=lambda version: (version == deployment.champion, version))
    bounds: list[float] = []
    reached = 0.0
    for version in order[:-1]:  # the last one has the rest, so that rounding leaves no gap
        reached += shares[version]
        bounds.append(reached)
    return Assignment(
        salt=deployment.salt,
        bounds=tuple(bounds),
        versions=tuple(order),
        shares=tuple(shares[version] for version in order),
    )
