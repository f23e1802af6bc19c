import pytest

from setpoint.client.retries import Retries


@pytest.mark.parametrize(
    ("failures", "bound"), [(1, 0.1), (2, 0.2), (3, 0.4), (9, 2.0), (999, 2.0)]
)
def test_pauses_are_drawn_below_a_bound_that_doubles_up_to_the_longest(failures, bound):
    retries = Retries(first_s=0.1, longest_s=2.0)
    assert retries.pause_s(failures, 0.0) == 0
    assert retries.pause_s(failures, 1.0) == pytest.approx(bound)
    assert retries.pause_s(failures, 0.5) == pytest.approx(bound / 2)


def test_what_the_gateway_asks_for_is_waited_at_least():
    assert Retries().pause_s(1, 0.0, 7.0) == 7.0
    assert Retries().pause_s(1, 1.0, 7.0) > 7.0  # and clients do not come back in the same moment
