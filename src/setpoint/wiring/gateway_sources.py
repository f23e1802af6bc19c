"""What a gateway serves from: a deployment document, or one bundle alone."""

from pathlib import Path

from setpoint.adapters.file_deployments import FileDeployments
from setpoint.errors import BundleError, UsageError
from setpoint.facts.deployment import Deployed, Deployment
from setpoint.gateway.follow import Documents
from setpoint.gateway.schema import read_schema
from setpoint.gateway.versions import read_manifest
from setpoint.wiring.gateway_plan import GatewayPlan


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


def sources(plan: GatewayPlan) -> tuple[Documents, Path, Path | None]:
    """Return where the document stands, where relative bundle paths start, and the file of the log.

    Raises:
        UsageError: The plan names no document and no bundle, or both.
        BundleError: The lone bundle is none, or is a pickle that nobody vouched for.
    """
    if (plan.deployment is None) == (plan.bundle is None):
        raise UsageError("a gateway needs a deployment document or a bundle, one of them")
    if plan.bundle is None:
        path = Path(plan.deployment or "").absolute()
        return FileDeployments(path), path.parent, plan.log or path.parent / "log.db"
    folder = plan.bundle.absolute()
    return LoneBundle(_deploy_alone(folder, plan)), folder.parent, plan.log


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
