"""The deployment document that a state of the release means. Pure: the same state gives the same document."""

from collections.abc import Mapping

import msgspec

from setpoint.errors import DeploymentError
from setpoint.facts.deployment import Deployed, Deployment, LogMode, Shadow
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
    log: LogMode = "durable"
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
    """Return the document for a champion, and what a challenger has while a release is under way.

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
    weights: dict[int, float] = {champion: 1.0}
    shadows: tuple[Shadow, ...] = ()
    if release is not None and release.version != champion:
        weights = _weights(champion, release)
        shadows = _shadows(release)
    kept = {previous} if previous and previous not in weights else set()
    prepared = sorted(set(weights) | {shadow.version for shadow in shadows} | kept)
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
        strategy="direct" if release is None else release.strategy,
        shadows=shadows,
    )
    deployment.require_sound()
    return deployment


def _weights(champion: int, release: Release) -> dict[int, float]:
    if not champion:
        return {release.version: 1.0}
    if release.strategy == "shadow":
        return {champion: 1.0}
    return {champion: 1.0 - release.share, release.version: release.share}


def _shadows(release: Release) -> tuple[Shadow, ...]:
    if release.strategy != "shadow":
        return ()
    return (Shadow(version=release.version, fraction=release.copied),)
