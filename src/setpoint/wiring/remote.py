"""Puts a deployment document at a URL and its bundles together; loaded only by a gateway that follows one."""

from collections.abc import Hashable

import msgspec

from setpoint.adapters.bundle_mirror import BundleMirror
from setpoint.adapters.url_deployments import UrlDeployments
from setpoint.adapters.web_fetch import Wanted, WebFetcher
from setpoint.clock import Clock
from setpoint.facts.deployment import Deployed, Deployment
from setpoint.wiring.gateway_plan import RemotePlan

_MOST = 1_000_000  # bytes of a document; real ones have some thousands
_WITHIN_S = 5.0
_REDIRECTS = 3


class Remote:
    """A document at a URL, and the bundles that it names; implements `setpoint.gateway.follow.Documents`.

    Args:
        plan: Where it is.
        clock: Stamps trouble.
    """

    def __init__(self, plan: RemotePlan, clock: Clock) -> None:
        authorization = f"Bearer {plan.token}" if plan.token else ""
        wanted = Wanted(
            plan.address,
            _MOST,
            _WITHIN_S,
            authorization=authorization,
            redirects=_REDIRECTS,
        )
        self._document = UrlDeployments(wanted, WebFetcher(), plan.every_s, clock)
        self._mirror = BundleMirror(
            plan.address,
            WebFetcher(),
            plan.folder / "bundles",
            authorization,
            wanted=self._document.names,
        )

    def mark(self) -> Hashable:
        """Return something that differs whenever the document may have changed."""
        return self._document.mark()

    def current(self) -> Deployment | None:
        """Return the last good document; see `UrlDeployments.current`."""
        return self._document.current()

    def trouble(self) -> str:
        """Return since when the URL cannot be asked and why, or an empty text."""
        return self._document.trouble()

    def close(self) -> None:
        """End every fetch that is under way."""
        self._document.close()
        self._mirror.give_up()

    def bring(self, deployed: Deployed) -> Deployed:
        """Return the same version with its bundle on this machine; slow where it must be fetched.

        Raises:
            BundleError: It cannot be fetched, or is not what the document names.
        """
        return msgspec.structs.replace(deployed, bundle=str(self._mirror.local(deployed)))
