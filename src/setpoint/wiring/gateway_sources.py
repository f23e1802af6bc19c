"""What a gateway serves from: a deployment document, or one bundle alone."""

import importlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from setpoint.adapters.file_deployments import FileDeployments
from setpoint.clock import Clock
from setpoint.errors import BundleError, UsageError
from setpoint.facts.deployment import Deployed, Deployment
from setpoint.gateway.follow import Documents
from setpoint.gateway.models.versions import read_manifest
from setpoint.gateway.rows.schema import read_schema
from setpoint.wiring.gateway_plan import GatewayPlan, RemotePlan
from setpoint.wiring.log_place import LogPlace, place_at


class LoneBundle:
    """A deployment document that never changes: one bundle has all traffic.

    Args:
        deployment: The document.
    """

    def __init__(self, deployment: Deployment) -> None:
        self._deployment = deployment

    def mark(self) -> int:
        """Return the same mark for ever."""
        return 1

    def current(self) -> Deployment:
        """Return the document."""
        return self._deployment

    def trouble(self) -> str:
        """Return nothing: it is always at hand."""
        return ""

    def close(self) -> None:
        """Do nothing: nothing is ever under way."""


@dataclass(frozen=True)
class Sources:
    """What a gateway serves from.

    Args:
        documents: Where the document stands.
        base: Folder that relative bundle paths start from.
        log: Where the log lies; None where there is none.
        bring: Makes sure that the bundle of a version is on this machine, and returns the version as it lies here.
        pickles: Whether a document that says `native` is believed.
    """

    documents: Documents
    base: Path
    log: LogPlace | None
    bring: Callable[[Deployed], Deployed] = lambda deployed: deployed
    pickles: bool = True


def sources(plan: GatewayPlan, clock: Clock) -> Sources:
    """Return what a gateway serves from. Nothing is fetched yet.

    Args:
        plan: What the gateway is to be.
        clock: Its clock.

    Raises:
        UsageError: The plan names no document and no bundle, or both.
        BundleError: The lone bundle is none, or is a pickle that nobody vouched for.
    """
    if (plan.deployment is None) == (plan.bundle is None):
        raise UsageError("a gateway needs a deployment document or a bundle, one of them")
    if isinstance(plan.deployment, RemotePlan):
        return _remote(plan.deployment, plan, clock)
    if plan.bundle is None:
        path = Path(plan.deployment or "").absolute()
        documents = FileDeployments(path, plan.model)
        return Sources(documents, path.parent, _log_of(plan, path.parent))
    folder = plan.bundle.absolute()
    log = None if plan.log is None else _log_of(plan, folder.parent, apart=True)
    return Sources(LoneBundle(_deploy_alone(folder, plan)), folder.parent, log)


def _log_of(plan: GatewayPlan, folder: Path, *, apart: bool = False) -> LogPlace:
    """Return where the log lies; in a folder where nobody says, which may lie apart from the project's.

    Raises:
        UsageError: It is said to be where none can be.
    """
    told = plan.told_log
    if plan.log is not None:
        told = replace(told, url=str(plan.log))
    return place_at(told, folder / "log.db", apart=apart)


def _remote(remote: RemotePlan, plan: GatewayPlan, clock: Clock) -> Sources:
    """Return what a document at a URL serves from. Loads the web's modules, which no other gateway needs."""
    adapter = importlib.import_module("setpoint.wiring.remote")
    found = adapter.Remote(remote, clock)
    return Sources(
        found,
        remote.folder,
        _log_of(plan, remote.folder, apart=True),
        found.bring,
        # A pickle is code: whoever is on the way could put theirs into a document that comes by plain http.
        pickles=remote.address.is_private,
    )


def _deploy_alone(folder: Path, plan: GatewayPlan) -> Deployment:
    """Return the document that gives one bundle all traffic."""
    manifest = read_manifest(folder)
    if manifest.runtime == "native" and not plan.native:
        msg = f"{folder} holds a pickle, which is code: serve it with --native if you trust who wrote it"
        raise BundleError(msg)
    try:
        schema = read_schema((folder / "request.json").read_bytes())
    except OSError as error:
        msg = f"{folder} is not a bundle: {error}"
        raise BundleError(msg) from error
    version = manifest.version or 1
    return Deployment(
        model=schema.document.model,
        generation=1,
        contract=schema.document.contract,
        prepare=(
            Deployed(
                version=version,
                bundle=str(folder),
                artifact=manifest.artifact,
                runtime=manifest.runtime,
            ),
        ),
        weights={str(version): 1.0},
        champion=version,
        log="durable" if plan.log else "off",
    )
