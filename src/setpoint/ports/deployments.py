"""Where gateways read what to serve, and report what they make of it."""

from typing import Protocol

from setpoint.facts.deployment import Deployment
from setpoint.facts.gateway_report import GatewayReport


class Deployments(Protocol):
    """Publishes the deployment document, and hears of those that follow it."""

    def publish(self, deployment: Deployment) -> None:
        """Make `deployment` the document in force, atomically. Repeating it is harmless."""

    def current(self) -> Deployment | None:
        """Return the document in force, or None before the first."""

    def reports(self) -> tuple[GatewayReport, ...]:
        """Return the last report of each gateway, by name; of those that are gone, too. None where no gateway listens.

        Raises:
            DeploymentError: The reports cannot be read.
        """
