import numpy as np

from setpoint.facts.deployment import Deployed, Deployment, Shadow
from setpoint.release.assignment import cut
from setpoint.release.copying import copied, is_copied

CUSTOMERS = [f"customer-{number}" for number in range(20_000)]


def chosen(fraction: float, *, version: int = 7, salt: str = "s") -> np.ndarray:
    return copied(salt, Shadow(version=version, fraction=fraction), CUSTOMERS)


def test_fraction_is_kept_within_sampling_noise() -> None:
    assert abs(chosen(0.1).mean() - 0.1) < 4 * np.sqrt(0.1 * 0.9 / len(CUSTOMERS))


def test_whole_fraction_copies_everything() -> None:
    assert chosen(1.0).all()
    assert is_copied("s", Shadow(version=7), "anybody")


def test_one_by_one_is_as_many() -> None:
    shadow = Shadow(version=7, fraction=0.3)
    one_by_one = [is_copied("s", shadow, value) for value in CUSTOMERS[:2_000]]
    assert one_by_one == chosen(0.3)[:2_000].tolist()


def test_raising_the_fraction_loses_nobody() -> None:
    assert chosen(0.5)[chosen(0.1)].all()


def test_two_shadows_do_not_share_their_customers() -> None:
    assert abs(chosen(0.2, version=8)[chosen(0.2)].mean() - 0.2) < 0.03


def test_shadow_does_not_see_one_arms_customers_only() -> None:
    arms = cut(
        Deployment(
            model="m",
            generation=1,
            contract="c",
            prepare=tuple(Deployed(version=v, bundle="b", artifact="a") for v in (1, 2, 7)),
            weights={"1": 0.5, "2": 0.5},
            champion=1,
            salt="s",
            shadows=(Shadow(version=7, fraction=0.2),),
        )
    ).versions_of(CUSTOMERS)
    assert abs(np.mean(arms[chosen(0.2)] == 2) - 0.5) < 0.03
