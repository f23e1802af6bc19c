"""The deployment document: tells gateways which versions to load and which get which traffic."""

import msgspec

from setpoint.errors import DeploymentError

_TOLERANCE = 1e-9  # weights are typed by people and printed by machines


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
    """

    model: str
    generation: int
    contract: str
    prepare: tuple[Deployed, ...]
    weights: dict[str, float]
    champion: int
    sticky: str = ""
    salt: str = ""
    log: str = "buffered"
    kept: dict[str, str] | None = None

    def require_sound(self) -> None:
        """Check that the document does not contradict itself.

        Raises:
            DeploymentError: It names a weight without a version, or weights that do not sum to 1.
        """
        prepared = {str(entry.version) for entry in self.prepare}
        if unknown := sorted(set(self.weights) - prepared):
            msg = f"deployment {self.generation} gives traffic to versions {unknown} that it does not prepare"
            raise DeploymentError(msg)
        if not self.weights or any(weight < 0 for weight in self.weights.values()):
            msg = f"deployment {self.generation} needs weights of 0 or more, got {self.weights}"
            raise DeploymentError(msg)
        if abs(sum(self.weights.values()) - 1.0) > _TOLERANCE:
            msg = f"weights of deployment {self.generation} sum to {sum(self.weights.values())}, not to 1"
            raise DeploymentError(msg)
