"""The deployment document: tells gateways which versions to load and which get which traffic."""

import re
from typing import Literal

import msgspec

from setpoint.errors import DeploymentError

_LIMITS = {  # what makes sense of each limit: a slip of the pen must neither shut a gateway nor let it drown
    "body": (1_000, 2**30),
    "rows": (1, 1_000_000),
    "requests": (1, 100_000),
    "queue": (1, 10_000_000),
    "deadline_s": (0.001, 3_600.0),
}
_TOLERANCE = 1e-9  # weights are typed by people and printed by machines
_HEADER = re.compile(r"x-[a-z0-9]+(?:-[a-z0-9]+)*")
_MOST = 2**63 - 1  # of a generation and of a version: what the log can hold
_TAKEN = ("x-api-key", "x-request-id")  # headers that mean something else


class Deployed(msgspec.Struct, frozen=True, kw_only=True):
    """One version that gateways load.

    Args:
        version: Version number.
        bundle: Folder of its bundle.
        artifact: Digest over the bundle's files; a gateway refuses a bundle that does not match.
        runtime: `onnx`, or `native`: the only way a gateway ever loads a pickle.
    """

    version: int
    bundle: str
    artifact: str
    runtime: str = "onnx"


class Shadow(msgspec.Struct, frozen=True, kw_only=True):
    """A version that answers copies of requests; nobody is given its answers.

    Args:
        version: Version number.
        fraction: Share of requests that are copied, above 0 up to 1.
    """

    version: int
    fraction: float = 1.0


class ServingLimits(msgspec.Struct, frozen=True, kw_only=True):
    """What one gateway process takes on; None where the process's own setting stands.

    Args:
        body: Bytes of a body.
        rows: Rows of a request.
        requests: Requests that are answered at once.
        queue: Rows that may wait for a model.
        deadline_s: Seconds after which a request is answered 504.
    """

    body: int | None = None
    rows: int | None = None
    requests: int | None = None
    queue: int | None = None
    deadline_s: float | None = None

    def require_sound(self, whose: str) -> None:
        """Check that each limit makes sense.

        Args:
            whose: Whose limits they are, for the message.

        Raises:
            DeploymentError: One does not.
        """
        for name, (least, most) in _LIMITS.items():
            value = getattr(self, name)
            if value is not None and not least <= value <= most:  # NaN is none either
                msg = f"{whose} limits {name} to {value}, not {least} to {most}"
                raise DeploymentError(msg)


Strategy = Literal["direct", "canary", "blue_green", "shadow", "ab", "bandit"]
"""Why traffic is cut as it is."""

LogMode = Literal["durable", "buffered", "off"]
"""What a gateway promises of its log; a word that it does not know must not be taken for a weaker promise."""


class Deployment(msgspec.Struct, frozen=True, kw_only=True):
    """What gateways shall serve.

    Args:
        model: Name of the model.
        generation: Grows by one with each document; gateways report it back with every answer.
        contract: Digest of the contract.
        prepare: Versions to load and warm.
        weights: Share of traffic by version (as text), summing to 1; only among prepared versions.
        champion: The version that answers as `champion`; others are challengers.
        sticky: Column whose value fixes a request's version, or empty: the request id does.
        salt: Text that is hashed with the sticky value, so that releases do not share their canaries.
        log: `durable`, `buffered` or `off`.
        kept: What the log keeps of columns, by name, as `setpoint.facts.log_rule` says it: columns that are not named
            are kept as they are. None: each version's own bundle says it.
        strategy: Why traffic is cut as it is: the release under way, or `direct`.
        shadows: Versions that answer copies of requests; only among prepared versions, and none that has traffic.
        override: Name of the request header by which testers choose a version themselves: `x-` and further lower-case
            letters, digits and hyphens. Empty where nobody may: whatever they send is passed over.
        limits: What one gateway process takes on.
    """

    model: str
    generation: int
    contract: str
    prepare: tuple[Deployed, ...]
    weights: dict[str, float]
    champion: int
    sticky: str = ""
    salt: str = ""
    log: LogMode = "buffered"
    kept: dict[str, str] | None = None
    strategy: Strategy = "direct"
    shadows: tuple[Shadow, ...] = ()
    override: str = "x-setpoint-version"
    limits: ServingLimits = ServingLimits()

    def require_sound(self) -> None:
        """Check that the document does not contradict itself.

        Raises:
            DeploymentError: It names a weight without a version, or weights that do not sum to 1.
        """
        self._require_sound_numbers()
        prepared = {str(entry.version) for entry in self.prepare}
        if unknown := sorted(set(self.weights) - prepared):
            msg = f"deployment {self.generation} gives traffic to versions {unknown} that it does not prepare"
            raise DeploymentError(msg)
        self._require_sound_shadows(prepared)
        self.limits.require_sound(f"deployment {self.generation}")
        self._require_sound_override()
        if not self.weights or any(weight < 0 for weight in self.weights.values()):
            msg = f"deployment {self.generation} needs weights of 0 or more, got {self.weights}"
            raise DeploymentError(msg)
        if not abs(sum(self.weights.values()) - 1.0) <= _TOLERANCE:  # NaN is none either
            msg = f"weights of deployment {self.generation} sum to {sum(self.weights.values())}, not to 1"
            raise DeploymentError(msg)

    def _require_sound_numbers(self) -> None:
        """Refuse numbers that no log can hold: every answer under them would be lost, or none be given."""
        numbers = {
            "generation": [self.generation],
            "version": [one.version for one in self.prepare],
        }
        for name, found in numbers.items():
            if odd := [number for number in found if not 0 <= number <= _MOST]:
                msg = f"deployment {self.generation} names a {name} of {odd[0]}, not 0 to {_MOST}"
                raise DeploymentError(msg)

    def _require_sound_override(self) -> None:
        name = self.override
        if name and (not _HEADER.fullmatch(name) or name in _TAKEN):
            msg = (
                f"deployment {self.generation} lets testers use the header {name!r}; it must be x- and lower-case "
                f"letters, digits and hyphens, and none of {', '.join(_TAKEN)}"
            )
            raise DeploymentError(msg)

    def _require_sound_shadows(self, prepared: set[str]) -> None:
        names = [str(shadow.version) for shadow in self.shadows]
        if unknown := sorted(set(names) - prepared):
            msg = (
                f"deployment {self.generation} shadows versions {unknown} that it does not prepare"
            )
            raise DeploymentError(msg)
        if len(set(names)) != len(names):
            msg = f"deployment {self.generation} shadows one version twice: {names}"
            raise DeploymentError(msg)
        if both := sorted(name for name in names if self.weights.get(name, 0.0) > 0):
            msg = f"deployment {self.generation} gives versions {both} traffic and shadows them too"
            raise DeploymentError(msg)
        for shadow in self.shadows:
            if not 0.0 < shadow.fraction <= 1.0:
                msg = (
                    f"deployment {self.generation} shadows version {shadow.version} with a fraction of "
                    f"{shadow.fraction}, not above 0 up to 1"
                )
                raise DeploymentError(msg)
