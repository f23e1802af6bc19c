import pytest

from setpoint.errors import DeploymentError
from setpoint.facts.deployment import Deployed, Shadow
from setpoint.facts.release import Release
from setpoint.release.deployment import Serving, deployment_of

SERVING = Serving(model="churn", contract="c" * 64, sticky="customer_id")
BUNDLES = {v: Deployed(version=v, bundle=f"bundles/{v}", artifact=f"a{v}") for v in (1, 2, 3)}


def canary(position: int, *, champion: int = 1) -> Release:
    return Release(
        id="r-7",
        version=2,
        champion=champion,
        strategy="canary",
        steps=(0.05, 0.5, 1.0),
        step=position,
    )


def test_champion_alone_has_all_traffic() -> None:
    found = deployment_of(SERVING, BUNDLES, champion=1, generation=3)
    assert found.weights == {"1": 1.0}
    assert [entry.version for entry in found.prepare] == [1]
    assert (found.generation, found.champion, found.sticky) == (3, 1, "customer_id")


def test_canary_gets_the_share_of_its_step_under_its_own_salt() -> None:
    found = deployment_of(SERVING, BUNDLES, champion=1, generation=4, release=canary(1))
    assert found.weights == {"1": 0.5, "2": 0.5}
    assert (found.champion, found.salt) == (1, "r-7")


def test_earlier_champion_stays_prepared_for_the_way_back() -> None:
    found = deployment_of(SERVING, BUNDLES, champion=2, generation=5, previous=1)
    assert found.weights == {"2": 1.0}
    assert [entry.version for entry in found.prepare] == [1, 2]


def test_first_version_takes_everything() -> None:
    first = Release(id="r-1", version=1, champion=0, strategy="direct", steps=(1.0,))
    found = deployment_of(SERVING, BUNDLES, champion=0, generation=1, release=first)
    assert (found.weights, found.champion) == ({"1": 1.0}, 1)


def test_version_without_a_bundle_is_refused() -> None:
    with pytest.raises(DeploymentError, match=r"\[9\]"):
        deployment_of(SERVING, BUNDLES, champion=9, generation=1)


def test_release_against_another_champion_is_refused() -> None:
    with pytest.raises(DeploymentError, match="r-7"):
        deployment_of(SERVING, BUNDLES, champion=1, generation=1, release=canary(0, champion=3))


def other(strategy: str, steps: tuple[float, ...], **more) -> Release:
    return Release(id="r-7", version=2, champion=1, strategy=strategy, steps=steps, **more)


@pytest.mark.parametrize(
    ("release", "weights"),
    [
        (other("blue_green", (0.0, 1.0)), {"1": 1.0, "2": 0.0}),
        (other("blue_green", (0.0, 1.0), step=1), {"1": 0.0, "2": 1.0}),
        (other("ab", (0.5,)), {"1": 0.5, "2": 0.5}),
        (other("bandit", (0.1,), weights={"9": 0.5, "10": 0.75}), {"1": 0.25, "2": 0.75}),
    ],
)
def test_strategy_cuts_the_traffic_and_both_versions_are_prepared(release, weights) -> None:
    found = deployment_of(SERVING, BUNDLES, champion=1, generation=11, release=release)
    assert found.weights == weights
    assert (found.strategy, found.champion, found.shadows) == (release.strategy, 1, ())
    assert [entry.version for entry in found.prepare] == [1, 2]


def test_shadow_is_prepared_and_given_copies_and_no_traffic() -> None:
    release = other("shadow", (0.05, 1.0))
    found = deployment_of(SERVING, BUNDLES, champion=1, generation=4, release=release)
    assert found.weights == {"1": 1.0}
    assert found.shadows == (Shadow(version=2, fraction=0.05),)
    assert [entry.version for entry in found.prepare] == [1, 2]
    assert found.strategy == "shadow"
