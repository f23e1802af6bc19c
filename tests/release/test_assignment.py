import pickle
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chisquare

from setpoint.errors import DeploymentError
from setpoint.facts.deployment import Deployed, Deployment
from setpoint.release.assignment import cut, sticky_point, sticky_points

CUSTOMERS = [f"customer-{number}" for number in range(20_000)]
DRAWN = [3, 2, 2, 1, 1, 2, 2, 1, 2, 2, 1, 3, 2, 1, 2, 3, 1, 1, 2, 1, 2, 1, 1, 1]


def deployment(weights: dict[str, float], *, champion: int = 1, salt: str = "release-1"):
    return Deployment(
        model="m",
        generation=1,
        contract="c",
        prepare=tuple(Deployed(version=int(v), bundle="b", artifact="a") for v in weights),
        weights=weights,
        champion=champion,
        salt=salt,
    )


def test_point_is_the_same_on_every_machine_and_for_ever() -> None:
    # A changed hash would move every customer of every running canary: these numbers never change.
    assert (
        sticky_point("release-1", "7590-VHVEG") == (0x2390FCE5222A161B >> 11) * 2.0**-53
    )  # b2sum -l 64
    assert sticky_point("", "") == (0xF451AF3B7DE97F52 >> 11) * 2.0**-53


def test_many_values_get_exactly_the_points_of_one_by_one() -> None:
    values = [*CUSTOMERS[:500], "", "ö", "a:b", "\udcff", *CUSTOMERS[:10]]
    assert sticky_points("s:1", values).tolist() == [sticky_point("s:1", v) for v in values]


def test_many_values_get_exactly_the_versions_of_one_by_one() -> None:
    assignment = cut(deployment({"1": 0.7, "2": 0.1, "3": 0.2}))
    many = assignment.versions_of(CUSTOMERS[:2_000])
    assert many.tolist() == [assignment.version(value) for value in CUSTOMERS[:2_000]]


def test_salt_and_value_do_not_run_into_each_other() -> None:
    assert sticky_point("a", "bc") != sticky_point("ab", "c")


def test_shares_are_kept_within_sampling_noise() -> None:
    versions = cut(deployment({"1": 0.95, "2": 0.05})).versions_of(CUSTOMERS)
    assert abs(np.mean(versions == 2) - 0.05) < 4 * np.sqrt(0.05 * 0.95 / len(CUSTOMERS))


def test_raising_the_canary_moves_customers_only_to_it() -> None:
    before = cut(deployment({"1": 0.95, "2": 0.05})).versions_of(CUSTOMERS)
    after = cut(deployment({"1": 0.8, "2": 0.2})).versions_of(CUSTOMERS)
    assert np.all(after[before == 2] == 2)
    assert 0 < np.sum((before == 1) & (after == 2)) < 0.2 * len(CUSTOMERS)


def test_rollback_moves_only_the_canarys_customers() -> None:
    before = cut(deployment({"1": 0.8, "2": 0.2})).versions_of(CUSTOMERS)
    after = cut(deployment({"1": 1.0, "2": 0.0})).versions_of(CUSTOMERS)
    assert set(after) == {1}
    assert np.all(after[before == 1] == 1)


def test_another_release_draws_other_canary_customers() -> None:
    first = cut(deployment({"1": 0.9, "2": 0.1})).versions_of(CUSTOMERS) == 2
    second = cut(deployment({"1": 0.9, "2": 0.1}, salt="release-2")).versions_of(CUSTOMERS) == 2
    assert abs(np.mean(second[first]) - 0.1) < 0.03


def test_version_without_weight_gets_no_request() -> None:
    assignment = cut(deployment({"1": 0.0, "2": 0.1, "3": 0.2, "4": 0.7}))
    assert assignment.versions == (2, 3, 4)
    assert set(assignment.versions_of(CUSTOMERS)) == {2, 3, 4}


def test_draws_are_the_same_on_every_machine_and_for_ever() -> None:
    # A changed race would move customers of every running release: these draws never change.
    assignment = cut(deployment({"1": 0.5, "2": 0.3, "3": 0.2}))
    assert assignment.versions_of(CUSTOMERS[:24]).tolist() == DRAWN


weights_of_arms = st.lists(st.integers(1, 60), min_size=2, max_size=6).map(
    lambda parts: {str(n): part / sum(parts) for n, part in enumerate(parts, start=1)}
)


@settings(max_examples=25, deadline=None, derandomize=True)
@given(weights_of_arms, st.text(max_size=8))
def test_shares_follow_any_weights(weights: dict[str, float], salt: str) -> None:
    drawn = cut(deployment(weights, salt=salt)).versions_of(CUSTOMERS)
    counts = np.array([np.sum(drawn == int(version)) for version in weights])
    expected = np.array(list(weights.values())) * len(CUSTOMERS)
    assert chisquare(counts, expected).pvalue > 1e-6


@settings(max_examples=25, deadline=None, derandomize=True)
@given(st.data())
def test_few_customers_move_whatever_becomes_of_the_weights(data: st.DataObject) -> None:
    before, after = data.draw(weights_of_arms), data.draw(weights_of_arms)
    arms = sorted(before.keys() | after.keys())
    old = np.array([before.get(arm, 0.0) for arm in arms])
    new = np.array([after.get(arm, 0.0) for arm in arms])
    moved = np.mean(
        cut(deployment(before)).versions_of(CUSTOMERS)
        != cut(deployment(after)).versions_of(CUSTOMERS)
    )
    must = np.abs(old - new).sum() / 2
    noise = 5 * np.sqrt(0.25 / len(CUSTOMERS))
    assert must - noise <= moved <= 2 * must / (1 + must) + noise


@settings(max_examples=15, deadline=None, derandomize=True)
@given(weights_of_arms, st.floats(0.05, 0.9), st.booleans())
def test_one_arm_that_gains_takes_from_all_and_moves_nobody_else(
    weights: dict[str, float], gain: float, is_new: bool
) -> None:
    arm = "9" if is_new else "1"
    grown = {one: weight * (1 - gain) for one, weight in weights.items()}
    grown[arm] = grown.get(arm, 0.0) + gain
    before = cut(deployment(weights)).versions_of(CUSTOMERS[:4_000])
    after = cut(deployment(grown)).versions_of(CUSTOMERS[:4_000])
    assert np.all(after[before != after] == int(arm))
    back = cut(deployment(weights)).versions_of(CUSTOMERS[:4_000])
    assert np.all(back == before)


def test_arm_that_is_taken_away_moves_only_its_own_customers() -> None:
    before = cut(deployment({"1": 0.5, "2": 0.3, "3": 0.2})).versions_of(CUSTOMERS)
    after = cut(deployment({"1": 0.625, "2": 0.375})).versions_of(CUSTOMERS)
    assert np.all(after[before != 3] == before[before != 3])


def test_customers_of_two_arms_split_alike_whoever_is_champion() -> None:
    first = cut(deployment({"1": 0.5, "2": 0.5})).versions_of(CUSTOMERS)
    second = cut(deployment({"1": 0.5, "2": 0.5}, champion=2)).versions_of(CUSTOMERS)
    assert np.all(first == second)  # promoting the winner of a test moves nobody


def test_assignment_reaches_another_process_whole() -> None:
    assignment = cut(deployment({"1": 0.5, "2": 0.3, "3": 0.2}))
    again = pickle.loads(pickle.dumps(assignment))  # noqa: S301 - our own
    assert again == assignment
    assert np.all(again.versions_of(CUSTOMERS[:500]) == assignment.versions_of(CUSTOMERS[:500]))


def test_weight_next_to_nothing_breaks_no_draw() -> None:
    assignment = cut(deployment({"1": 1.0, "2": 5e-324, "3": 1e-12}))
    assert set(assignment.versions_of(CUSTOMERS)) == {1}


def test_share_of_each_version_is_told() -> None:
    assignment = cut(deployment({"1": 0.95, "2": 0.05}))
    assert (assignment.versions, assignment.shares) == ((1, 2), (0.95, 0.05))


def test_contradicting_document_is_refused() -> None:
    with pytest.raises(DeploymentError):
        cut(deployment({"1": 0.5, "2": 0.2}))


def test_gateway_pays_for_nothing_heavy() -> None:
    code = (
        "import sys, setpoint.release.assignment;"
        "heavy = {'pandas', 'scipy', 'sklearn', 'pydantic', 'mlflow', 'pyarrow', 'setpoint.contract'};"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
