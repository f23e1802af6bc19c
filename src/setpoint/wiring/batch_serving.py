"""Loads what answers many rows at once: the versions of the deployment document, as a gateway would load them."""

from concurrent.futures import Executor
from pathlib import Path

import msgspec

from setpoint.adapters.bundle_scorer import add_project
from setpoint.adapters.bundle_store import BundleStore
from setpoint.errors import UsageError
from setpoint.facts.deployment import Deployed
from setpoint.facts.state import LoopState
from setpoint.gateway.models.native import load_native
from setpoint.gateway.models.versions import Version, load_version
from setpoint.gateway.serving import Serving, serve
from setpoint.wiring.log_place import place_of, secret_of
from setpoint.wiring.offline import Offline


def batch_serving(
    offline: Offline, state: LoopState, pool: Executor, *, pinned: int | None, log: bool
) -> Serving:
    """Return what gateways would serve: the versions that answer, and the champion, which speaks for the model.

    Args:
        offline: The project.
        state: Its state.
        pool: Where models run.
        pinned: The one version that answers; None for those that are drawn.
        log: Whether answers are logged, where the deployment keeps a log.

    Raises:
        UsageError: Nothing was released yet, or there is no version of that number.
        BundleError: A bundle is missing or altered.
    """
    deployment = state.deployment
    if deployment is None:
        msg = "no version was released yet, so none can answer; begin with: setpoint run"
        raise UsageError(msg)
    weights = deployment.weights
    if pinned is not None:  # nobody draws it, so no release counts its answers
        weights = {str(deployment.champion): 1.0}
    needed = {int(number) for number, weight in weights.items() if weight > 0}
    needed |= {deployment.champion, *(() if pinned is None else (pinned,))}
    add_project(offline.folder)
    place = place_of(offline.settings)
    secret = secret_of(place, offline.settings.log_key)
    prepare = [_deployed(number, state, offline) for number in sorted(needed)]
    document = msgspec.structs.replace(
        deployment,
        prepare=tuple(prepare),
        weights={number: weight for number, weight in weights.items() if weight > 0},
        shadows=(),
        log=deployment.log if log else "off",
    )
    versions = {
        one.version: load_version(one, Path(), load_native, pool, secret) for one in prepare
    }
    return serve(document, versions)


def _deployed(number: int, state: LoopState, offline: Offline) -> Deployed:
    version = state.versions.get(str(number))
    if version is None:
        known = ", ".join(sorted(state.versions, key=int)) or "none"
        msg = f"there is no version {number}; registered are {known}"
        raise UsageError(msg)
    folder = BundleStore(offline.settings.store).find(version.artifact).absolute()
    return Deployed(
        version=number, bundle=str(folder), artifact=version.artifact, runtime=version.runtime
    )


def asked_versions(serving: Serving, pinned: int | None) -> list[tuple[int, Version]]:
    """Return the versions that answer, by number."""
    numbers = serving.choices if pinned is None else (pinned,)
    return [(number, serving.versions[number]) for number in numbers]
