"""Which requests are copied to a shadow: a salted hash of the sticky value, below the shadow's fraction.

Rules:
1. The same value under the same salt is copied or not, in every process and at every replay; so a customer's requests
   are all copied, or none.
2. Raising the fraction adds customers and takes none away.
3. Shadows draw apart from each other, and apart from the versions that answer.

Standard library, numpy and facts only: gateways import this.
"""

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from setpoint.facts.deployment import Shadow
from setpoint.release.assignment import sticky_point, sticky_points


def is_copied(salt: str, shadow: Shadow, value: str) -> bool:
    """Return whether the request with this sticky value is copied.

    Args:
        salt: The deployment's salt.
        shadow: The version, and the share of requests that it is given.
        value: The value that draws the request's version as well.
    """
    return shadow.fraction >= 1.0 or sticky_point(_salt(salt, shadow), value) < shadow.fraction


def copied(salt: str, shadow: Shadow, values: Iterable[str]) -> npt.NDArray[np.bool_]:
    """Return which of n requests are copied, shape (n,), equal to `is_copied` one by one."""
    return sticky_points(_salt(salt, shadow), values) < shadow.fraction


def _salt(salt: str, shadow: Shadow) -> str:
    return f"{salt} shadow {shadow.version}"
