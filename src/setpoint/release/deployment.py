"""The deployment document that a state of the release means. Pure: the same state gives the same document."""

from collections.abc import Mapping

import msgspec

from setpoint.errors import DeploymentError
from setpoint.facts.deployment import Deployed, Deployment
from setpoint.facts.release import Release


class Serving(msgspec.Struct, frozen=True, kw_only=True):
    """What every document of a model shares.

    Args:
        model: Name of the model.
        contract: Digest of the contract.
        sticky: Column whose value fixes a request's version, or empty.
        log: `durable`, `buffered` or `off`.
        kept: What the log keeps of columns that it does not keep as they are.
    """

    model: str
    contract: str
    sticky: str = ""
    log: str = "durable"
    kept: dict[str, str] = {}


def deployment_of(
    serving: Serving,
    bundles: Mapping[int, Deployed],
    *,
    champion: int,
    generation: int,
    release: Release | None = None,
    previous: int = 0,
) -> Deployment:
    """Return the document for a champion, and a challenger's share while a release is under way.

    Args:
        serving: What every document shares.
        bundles: What gateways load, by version.
        champion: The version that production is on.
        generation: Number of the document; larger than of every earlier one.
        release: The release under way, if any.
        previous: A version to keep prepared without traffic, so that going back to it is one switch; 0 for none.

    Raises:
        DeploymentError: A version has no bundle, or the release is of another champion.
    """
    if release is not None and release.champion not in (champion, 0):
        msg = f"release {release.id} is against version {release.champion}, the champion is version {champion}"
        raise DeploymentError(msg)
    weights = {champion: 1.0}
    if release is not None and release.version != champion:
        share = release.steps[release.step]
        weights = (
            {champion: 1.0 - share, release.version: share} if champion else {release.version: 1.0}
        )
    kept = {previous} if previous and previous not in weights else set()
    prepared = sorted(set(weights) | kept)
    if unknown := [version for version in prepared if version not in bundles]:
        msg = f"versions {unknown} have no bundle to deploy"
        raise DeploymentError(msg)
    deployment = Deployment(
        model=serving.model,
        generation=generation,
        contract=serving.contract,
        prepare=tuple(bundles[version] for version in prepared),
        weights={str(version): share for version, share in sorted(weights.items())},
        champion=champion or next(iter(weights)),
        sticky=serving.sticky,
        salt=release.id if release is not None else "",
        log=serving.log,
        kept=dict(serving.kept),
    )
    deployment.require_sound()
    return deployment
