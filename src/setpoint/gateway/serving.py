"""What is served between two deployment documents: loaded versions and how traffic is cut among them. Immutable."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from setpoint.errors import DeploymentError, JournalError
from setpoint.facts.deployment import Deployment, Shadow
from setpoint.facts.log_rule import Withholding, withholding
from setpoint.facts.prediction import Answerer
from setpoint.gateway.models.versions import Version
from setpoint.gateway.rows.row_decoder import RowDecoder
from setpoint.gateway.rows.rows import WRAPPERS
from setpoint.gateway.wire.exchange import Request
from setpoint.gateway.wire.refusal import refuse
from setpoint.release.assignment import Assignment, cut


class Choice(NamedTuple):
    """The version that answers one request, and why it does.

    Args:
        version: The version.
        variant: `champion` or `challenger`.
        propensity: Share of traffic that it had; 0 where the request named the version itself.
        by: Who answers, as the log keeps it.
        withholding: What the log is not given as it is; None where it is given all.
    """

    version: Version
    variant: str
    propensity: float
    by: Answerer
    withholding: Withholding | None = None


class Shadowing(NamedTuple):
    """A loaded version that answers copies of requests.

    Args:
        version: The version.
        shadow: The share of requests that it is given.
        by: Who answers, as the log keeps it.
        withholding: What the log is not given as it is; None where it is given all.
        alike: Versions whose columns are its own, so that what was checked for them is checked for it.
    """

    version: Version
    shadow: Shadow
    by: Answerer
    withholding: Withholding | None
    alike: frozenset[int]


@dataclass(frozen=True, slots=True)
class Serving:
    """A document with its versions loaded. A request takes one, once, and ends on it.

    Args:
        deployment: The document.
        versions: Every prepared version, by number; one without traffic may be missing.
        assignment: The document's weights, cut.
        answerers: Every prepared version as the log keeps it, by number.
        withholdings: What the log is not given of each prepared version's answers, by number; None where it is all.
        choices: The choice for each version that has traffic.
        only: The choice for every request that names no version, where one version has all traffic; else None.
        decoder: Decodes rows by the champion's schema, with the column that a draw or the log needs beside them.
        extra: Name of that column, or empty.
        feature_names: Names of all versions' features.
        wrappers: Names that stand around rows in a body, quoted: no version has a feature of that name.
        shadows: Versions that answer copies of requests, as far as they are loaded.
        override: Lower-case name of the header by which testers choose a version; empty where nobody may.
    """

    deployment: Deployment
    versions: Mapping[int, Version]
    assignment: Assignment
    answerers: Mapping[int, Answerer]
    withholdings: Mapping[int, Withholding | None]
    choices: Mapping[int, Choice]
    only: Choice | None
    decoder: RowDecoder
    extra: str
    feature_names: frozenset[str]
    wrappers: tuple[bytes, ...]
    shadows: tuple[Shadowing, ...]
    override: bytes

    @property
    def champion(self) -> Version:
        """The version whose columns and classes speak for the model."""
        return self.versions[self.deployment.champion]

    def draw(self, sticky: str) -> Choice:
        """Return the version that answers the request with this sticky value."""
        return self.choices[self.assignment.version(sticky)]

    def pinned(self, request: Request) -> str:
        """Return the version that a tester's header names, or empty. A header that nobody may use is passed over."""
        return request.header(self.override) if self.override else ""

    def pin(self, version: str) -> Choice:
        """Return the version that a request names itself, outside the draw.

        Raises:
            RefusedError: 404; no such version is prepared.
        """
        for number, loaded in self.versions.items():
            if loaded.text == version:
                by, withheld = self.answerers[number], self.withholdings[number]
                return Choice(loaded, self.variant(number), 0.0, by, withheld)
        prepared = ", ".join(loaded.text for loaded in self.versions.values())
        raise refuse(
            404,
            f"model {self.deployment.model!r} has no version {version[:40]!r} prepared here; prepared: {prepared}",
        )

    def variant(self, number: int) -> str:
        """Return the part that a version plays."""
        return "champion" if number == self.deployment.champion else "challenger"


def serve(deployment: Deployment, versions: Mapping[int, Version]) -> Serving:
    """Return what is served under a sound document.

    Args:
        deployment: The document.
        versions: The champion and every version that has traffic, loaded; others as far as they are.

    Raises:
        DeploymentError: The document contradicts itself or the bundles.
    """
    assignment = cut(deployment)
    if deployment.champion not in versions:
        msg = f"deployment {deployment.generation} does not prepare its champion, version {deployment.champion}"
        raise DeploymentError(msg)
    if len({one.version for one in deployment.prepare}) != len(deployment.prepare):
        msg = f"deployment {deployment.generation} prepares one version twice"
        raise DeploymentError(msg)
    for version in versions.values():
        if version.schema.document.model != deployment.model:
            msg = (
                f"deployment {deployment.generation} is of model {deployment.model!r}, version {version.number} "
                f"is of {version.schema.document.model!r}"
            )
            raise DeploymentError(msg)
    withholdings = {number: _withheld(deployment, one) for number, one in versions.items()}
    answerers = {
        number: _answerer(deployment, version, withholdings[number])
        for number, version in versions.items()
    }
    choices = {
        number: Choice(
            versions[number],
            "champion" if number == deployment.champion else "challenger",
            share,
            answerers[number],
            withholdings[number],
        )
        for number, share in zip(assignment.versions, assignment.shares, strict=True)
    }
    names = frozenset(name for version in versions.values() for name in version.schema.names)
    champion = versions[deployment.champion].schema
    extra = deployment.sticky or champion.key
    return Serving(
        deployment=deployment,
        versions=dict(versions),
        assignment=assignment,
        answerers=answerers,
        withholdings=withholdings,
        choices=choices,
        only=next(iter(choices.values())) if len(choices) == 1 else None,
        decoder=RowDecoder(champion, extra),
        extra=extra,
        feature_names=names,
        wrappers=tuple(f'"{name}"'.encode() for name in WRAPPERS if name not in names),
        shadows=tuple(
            Shadowing(
                versions[shadow.version],
                shadow,
                answerers[shadow.version],
                withholdings[shadow.version],
                _alike(versions[shadow.version], versions),
            )
            for shadow in deployment.shadows
            if shadow.version in versions
        ),
        override=deployment.override.encode(),
    )


def _alike(version: Version, versions: Mapping[int, Version]) -> frozenset[int]:
    """Return the versions whose columns are the same, by number."""
    columns = version.schema.document.columns
    return frozenset(
        number for number, other in versions.items() if other.schema.document.columns == columns
    )


def _withheld(deployment: Deployment, version: Version) -> Withholding | None:
    """Return what the log is not given of a version's answers: by the document, or by the bundle where that is silent.

    Raises:
        DeploymentError: A rule is none, or there is nothing to hash with: an answer would be logged as it is.
    """
    if deployment.log == "off":
        return None
    document = version.schema.document
    rules = {rule.name: rule.log for rule in document.columns}
    rules[version.schema.key] = document.key_log
    try:
        return withholding(
            version.schema.names,
            rules if deployment.kept is None else deployment.kept,
            version.schema.key,
            version.secret,
        )
    except (ValueError, JournalError) as error:
        msg = f"deployment {deployment.generation}, version {version.number}: {error}"
        raise DeploymentError(msg) from error


def _answerer(deployment: Deployment, version: Version, held: Withholding | None) -> Answerer:
    return Answerer(
        model=deployment.model,
        version=version.number,
        contract=version.schema.document.contract,
        generation=deployment.generation,
        columns=version.schema.names if held is None else held.columns,
        withheld={} if held is None else held.rules,
    )
