"""Follows the deployment document: load and warm new versions beside the old, then switch between two requests.

Rules:
1. A document takes force whole or not at all: every version it prepares is verified, loaded and warmed first.
2. A document that cannot take force changes nothing: the last good one stays, and readiness and metrics say why. It is
   tried again every few seconds, since a bundle may still be on its way.
3. Generations only grow.
"""

import asyncio
from collections.abc import Callable, Hashable
from concurrent.futures import Executor
from typing import Protocol

from setpoint.clock import Clock
from setpoint.errors import BundleError, DeploymentError
from setpoint.facts.deployment import Deployed, Deployment
from setpoint.gateway.serving import Serving, serve
from setpoint.gateway.versions import Version

_POLL_S = 0.05
_RETRY_S = 2.0

Load = Callable[[Deployed], Version]


class Documents(Protocol):
    """Where the deployment document stands."""

    def mark(self) -> Hashable:
        """Return something that differs whenever the document may have changed; cheap."""

    def current(self) -> Deployment | None:
        """Return the document, or None where there is none. Raises `DeploymentError`."""


class Follower:
    """Keeps `serving` equal to the document, as far as the document can be served.

    Args:
        documents: Where the document stands.
        load: Verifies, loads and warms one version; runs in `executor`.
        executor: Threads apart from the event loop.
        clock: For the pauses between two tries.

    Attributes:
        serving: What is served, or None before the first good document.
        refused: Why the newest document is not in force, or empty.
    """

    def __init__(self, documents: Documents, load: Load, executor: Executor, clock: Clock) -> None:
        self.serving: Serving | None = None
        self.refused = ""
        self._documents = documents
        self._load = load
        self._executor = executor
        self._clock = clock
        self._mark: Hashable = object()  # like no mark: the first look always reads
        self._retry_at = 0.0

    @property
    def generation(self) -> int:
        """Generation of the document in force; 0 before the first."""
        return 0 if self.serving is None else self.serving.deployment.generation

    async def run(self, poll_s: float = _POLL_S) -> None:
        """Follow until cancelled, looking every `poll_s` seconds."""
        while True:
            await self.look()
            await asyncio.sleep(poll_s)

    async def look(self) -> None:
        """Look once; where the document changed, or was refused a while ago, try to make it the one in force."""
        mark = self._documents.mark()
        due = bool(self.refused) and self._clock.stopwatch() >= self._retry_at
        if mark == self._mark and not due:
            return
        self._mark = mark
        try:
            await self._follow()
        except Exception as error:  # noqa: BLE001 (the task's outermost frame: it must outlive any document)
            known = isinstance(error, DeploymentError | BundleError)
            self.refused = str(error) if known else f"{type(error).__name__}: {error}"
            self._retry_at = self._clock.stopwatch() + _RETRY_S

    async def _follow(self) -> None:
        """Make the document the one in force.

        Raises:
            DeploymentError: It is unreadable, contradicts itself, or is older than the one in force.
            BundleError: A version cannot be loaded.
        """
        loop = asyncio.get_running_loop()
        deployment = await loop.run_in_executor(self._executor, self._documents.current)
        if deployment is None:
            self.refused = "there is no deployment document yet"
            self._retry_at = self._clock.stopwatch() + _RETRY_S
            return
        if self.serving is not None and deployment == self.serving.deployment:
            self.refused = ""
            return
        deployment.require_sound()
        self._require_newer(deployment)
        versions: dict[int, Version] = {}
        for deployed in deployment.prepare:
            version = self._loaded(deployed)
            if version is None:
                version = await loop.run_in_executor(self._executor, self._load, deployed)
            versions[deployed.version] = version
        self.serving = serve(
            deployment, versions
        )  # the switch: one assignment, between two requests
        self.refused = ""

    def _require_newer(self, deployment: Deployment) -> None:
        """Refuse a document that is not newer than the one in force."""
        if self.serving is not None and deployment.generation <= self.generation:
            msg = (
                f"deployment document of generation {deployment.generation} is not newer than generation "
                f"{self.generation}, which is in force; publish a newer one, or restart the gateway"
            )
            raise DeploymentError(msg)

    def _loaded(self, deployed: Deployed) -> Version | None:
        """Return a version that is loaded already, if it is this very one."""
        if self.serving is None:
            return None
        version = self.serving.versions.get(deployed.version)
        same = (
            version is not None
            and version.artifact == deployed.artifact
            and version.runtime == deployed.runtime
        )
        return version if same else None
