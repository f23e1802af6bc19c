"""The deployment document in memory: for a replay, where no gateway listens, and for tests."""

from setpoint.facts.deployment import Deployment


class MemoryDeployments:
    """Holds the document in force; implements `setpoint.ports.deployments.Deployments`."""

    def __init__(self) -> None:
        self._current: Deployment | None = None

    def publish(self, deployment: Deployment) -> None:
        """Make `deployment` the document in force.

        Raises:
            DeploymentError: It contradicts itself.
        """
        deployment.require_sound()
        self._current = deployment

    def current(self) -> Deployment | None:
        """Return the document in force, or None before the first."""
        return self._current
