"""Follows the deployment document: load and warm new versions beside the old, then switch between two requests.

Rules:
1. A document takes force whole or not at all: the champion and every version that has traffic are verified, loaded and
   warmed first. A version that is only kept ready, or a shadow, may be missing.
2. A document that cannot take force changes nothing: the last good one stays. Where there is none, since the process is
   young, the champion answers everything, under no generation: no canary counts that.
3. What could not be loaded is tried again every few seconds, since a bundle may still be on its way, and is named as
   refused from the second time on. Readiness and metrics say why, and so do the reports to control.
4. Generations only grow.
5. A place that cannot be asked for the document changes nothing; it is told as trouble, and for how long.
"""

import asyncio
from collections.abc import Callable, Hashable, Iterable
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Protocol

import msgspec

from setpoint.clock import Clock
from setpoint.errors import BundleError, DeploymentError
from setpoint.facts.deployment import Deployed, Deployment
from setpoint.gateway.models.versions import Version
from setpoint.gateway.serving import Serving, serve

_POLL_S = 0.05
_RETRY_S = 2.0
_CERTAIN = 2  # tries after which a version is refused: a hiccup of the disk must not end a release

NO_DOCUMENT = "there is no deployment document yet"
"""Why nothing is in force before `setpoint run` has made the first document."""

Load = Callable[[Deployed], Version]
_Key = tuple[
    int, str, str
]  # what makes a loaded version the one that is asked for, wherever its bundle lies


class Documents(Protocol):
    """Where the deployment document stands."""

    def mark(self) -> Hashable:
        """Return something that differs whenever the document may have changed; cheap."""

    def current(self) -> Deployment | None:
        """Return the document, or None where there is none; blocks. Raises `DeploymentError`."""

    def trouble(self) -> str:
        """Return why the place cannot be asked at the moment, or empty; cheap."""

    def close(self) -> None:
        """End what is under way: the gateway ends. Cheap."""


@dataclass(frozen=True, slots=True)
class _Failure:
    """Why a version could not be loaded, and how many times in a row."""

    reason: str
    tries: int


class Follower:
    """Keeps `serving` equal to the document, as far as the document can be served.

    Args:
        documents: Where the document stands.
        load: Verifies, loads and warms one version; runs in `executor`.
        executor: Threads apart from the event loop.
        clock: For the pauses between two tries.
        tell: Told once why the newest document is not in force, and an empty text when that ends.
        switched: Told each document that takes force.

    Attributes:
        serving: What is served, or None before the first good document.
        refused: Why the newest document is not in force, or what is not known of it; or empty.
        problem: The same where no version is to blame, or empty.
        settled: Set once something is served, or there is no document yet.
    """

    def __init__(
        self,
        documents: Documents,
        load: Load,
        executor: Executor,
        clock: Clock,
        tell: Callable[[str], None] = lambda _: None,
        switched: Callable[[Deployment], None] = lambda _: None,
    ) -> None:
        self.serving: Serving | None = None
        self.refused = ""
        self.problem = ""
        self.settled = asyncio.Event()
        self._documents = documents
        self._load = load
        self._executor = executor
        self._clock = clock
        self._tell = tell
        self._switched = switched
        self._reason = ""  # why the newest document that is known is not in force
        self._trouble_since: float | None = None
        self._mark: Hashable = object()  # like no mark: the first look always reads
        self._retry_at = 0.0
        self._loaded: dict[_Key, Version] = {}
        self._failed: dict[Deployed, _Failure] = {}

    @property
    def generation(self) -> int:
        """Generation of the document in force; 0 before the first."""
        return 0 if self.serving is None else self.serving.deployment.generation

    @property
    def ready(self) -> tuple[int, ...]:
        """Versions that are verified, loaded and warm."""
        return tuple(sorted({version for version, _, _ in self._loaded}))

    @property
    def failures(self) -> dict[int, str]:
        """Versions of the newest document that cannot be served, with the reason."""
        return {
            deployed.version: failure.reason
            for deployed, failure in self._failed.items()
            if failure.tries >= _CERTAIN
        }

    @property
    def unreachable_s(self) -> float:
        """Seconds since which the place of the document cannot be asked; 0 while it can."""
        since = self._trouble_since
        return 0.0 if since is None else self._clock.stopwatch() - since

    async def run(self, poll_s: float = _POLL_S) -> None:
        """Follow until cancelled, looking every `poll_s` seconds."""
        try:
            while True:
                await self.look()
                await asyncio.sleep(poll_s)
        finally:
            self._documents.close()

    async def look(self) -> None:
        """Look once; where the document changed, or something failed a while ago, try to make it the one in force."""
        mark = self._documents.mark()
        due = bool(self._reason or self._failed) and self._clock.stopwatch() >= self._retry_at
        if mark != self._mark or due:
            self._mark = mark
            await self._try()
        self._note(self._documents.trouble())

    async def _try(self) -> None:
        """Try once to make the document the one in force, and keep why that cannot be."""
        problem = ""
        try:
            self._reason = await self._follow()
        except Exception as error:  # noqa: BLE001 (the task's outermost frame: it must outlive any document)
            self._reason = problem = _say(error, DeploymentError)
        self.problem = problem
        if self.serving is not None or self._reason == NO_DOCUMENT:
            self.settled.set()
        self._retry_at = self._clock.stopwatch() + _RETRY_S

    def _note(self, trouble: str) -> None:
        """Say what is not in order with the document and its place, once."""
        if bool(trouble) != (self._trouble_since is not None):
            self._trouble_since = self._clock.stopwatch() if trouble else None
        refused = "; ".join(one for one in (self._reason, trouble) if one)
        if refused != self.refused:
            self.refused = refused
            self._tell(refused)

    async def _follow(self) -> str:
        """Make the document the one in force, and return why that cannot be, or an empty text.

        Raises:
            DeploymentError: It is unreadable, contradicts itself, or is older than the one in force.
        """
        loop = asyncio.get_running_loop()
        deployment = await loop.run_in_executor(self._executor, self._documents.current)
        if deployment is None:
            return NO_DOCUMENT
        is_in_force = self.serving is not None and deployment == self.serving.deployment
        if is_in_force and not self._failed:
            return ""
        deployment.require_sound()
        if not is_in_force:
            self._require_newer(deployment)
        await self._prepare(deployment)
        lacking = [one for one in _needed(deployment) if one in self._failed]
        if not lacking:
            self._switch(deployment)
            self._keep(deployment.prepare)
        elif self.serving is None and any(_key(one) in self._loaded for one in _alone(deployment)):
            self._switch(_champion_alone(deployment))
        return "; ".join(
            f"version {one.version}{_place(one)}: {self._failed[one].reason}" for one in lacking
        )

    async def _prepare(self, deployment: Deployment) -> None:
        """Load what the document prepares and is not loaded, one version after the other."""
        in_force = () if self.serving is None else self.serving.deployment.prepare
        self._keep((*deployment.prepare, *in_force))
        failed: dict[Deployed, _Failure] = {}
        loop = asyncio.get_running_loop()
        for deployed in deployment.prepare:
            if _key(deployed) in self._loaded:
                continue
            try:
                version = await loop.run_in_executor(self._executor, self._load, deployed)
            except Exception as error:  # noqa: BLE001 (a model is foreign code, and must not take down the others)
                tries = self._failed[deployed].tries + 1 if deployed in self._failed else 1
                failed[deployed] = _Failure(_say(error, BundleError), tries)
            else:
                self._loaded[_key(deployed)] = version
        self._failed = failed

    def _switch(self, deployment: Deployment) -> None:
        """Put a document in force: one assignment, between two requests."""
        found = {one.version: self._loaded.get(_key(one)) for one in deployment.prepare}
        versions = {number: version for number, version in found.items() if version is not None}
        serving = self.serving
        if serving is None or serving.deployment != deployment or serving.versions != versions:
            self.serving = serve(deployment, versions)
            self._switched(deployment)

    def _keep(self, wanted: Iterable[Deployed]) -> None:
        """Let go of all loaded versions but these."""
        keys = {_key(one) for one in wanted}
        self._loaded = {key: version for key, version in self._loaded.items() if key in keys}

    def _require_newer(self, deployment: Deployment) -> None:
        """Refuse a document that is not newer than the one in force."""
        if self.serving is not None and deployment.generation <= self.generation:
            msg = (
                f"deployment document of generation {deployment.generation} is not newer than generation "
                f"{self.generation}, which is in force; publish a newer one, or restart the gateway"
            )
            raise DeploymentError(msg)


def _needed(deployment: Deployment) -> list[Deployed]:
    """Return the versions without which a document cannot take force: the champion, and those that have traffic."""
    return [
        one
        for one in deployment.prepare
        if one.version == deployment.champion or deployment.weights.get(str(one.version), 0.0) > 0
    ]


def _alone(deployment: Deployment) -> tuple[Deployed, ...]:
    """Return the champion as the document prepares it, or nothing."""
    return tuple(one for one in deployment.prepare if one.version == deployment.champion)


def _champion_alone(deployment: Deployment) -> Deployment:
    """Return a document that gives the champion all traffic, under no generation."""
    return msgspec.structs.replace(
        deployment,
        generation=0,
        prepare=_alone(deployment),
        weights={str(deployment.champion): 1.0},
        shadows=(),
    )


def _place(deployed: Deployed) -> str:
    """Return a bundle's folder for a message; of an address nothing, since it may hold a password or a signature."""
    return "" if "://" in deployed.bundle else f" ({deployed.bundle})"


def _key(deployed: Deployed) -> _Key:
    return deployed.version, deployed.artifact, deployed.runtime


def _say(error: Exception, known: type[Exception]) -> str:
    return str(error) if isinstance(error, known) else f"{type(error).__name__}: {error}"
