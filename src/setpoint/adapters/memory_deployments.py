"""The deployment document in memory: for a replay, where no gateway listens, and for tests."""

from setpoint.facts.deployment import Deployment
from setpoint.facts.gateway_report import GatewayReport


class MemoryDeployments:
    """Holds the document in force; implements `setpoint.ports.deployments.Deployments`."""

    def __init__(self) -> None:
        self._current: Deployment | None = None
        self._reports: dict[str, GatewayReport] = {}

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

    def report(self, report: GatewayReport) -> None:
        """Keep what a gateway reports, in place of what it reported before."""
        self._reports[report.gateway] = report

    def reports(self) -> tuple[GatewayReport, ...]:
        """Return the last report of each gateway, by name."""
        return tuple(report for _, report in sorted(self._reports.items()))
