import pytest

from setpoint.contract.release import Release
from setpoint.contract.release_need import outcomes_to_tell, requests_needed, requests_of


@pytest.mark.parametrize(
    ("share", "requests"), [(0.05, 10_000), (0.2, 2_500), (0.5, 1_000), (1.0, 0), (0.95, 10_000)]
)
def test_each_step_waits_for_its_smaller_arm(share, requests):
    assert requests_of(share, 500) == requests


def test_the_design_s_canary_needs_13_500_requests():
    assert requests_needed(Release()) == 13_500


def test_a_direct_release_needs_none():
    assert requests_needed(Release(strategy="direct")) == 0


@pytest.mark.parametrize(
    ("strategy", "requests"),
    [("shadow", 14_000), ("blue_green", 500), ("ab", 1_000), ("bandit", 1_000)],
)
def test_other_strategies_need_what_their_arms_see(strategy, requests):
    assert requests_needed(Release(strategy=strategy)) == requests


def test_uneven_split_and_small_difference_need_more_outcomes():
    even = outcomes_to_tell(0.18, 0.20, share=0.5)
    assert outcomes_to_tell(0.18, 0.20, share=0.05) > 5 * even
    assert outcomes_to_tell(0.19, 0.20, share=0.5) > 3.9 * even
