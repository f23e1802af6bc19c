"""Where gateways read what to serve."""

from typing import Protocol

from setpoint.facts.deployment import Deployment


class Deployments(Protocol):
    """Publishes the deployment document."""

    def publish(self, deployment: Deployment) -> None:
        """Make `deployment` the document in force, atomically. Repeating it is harmless."""

    def current(self) -> Deployment | None:
        """Return the document in force, or None before the first."""
