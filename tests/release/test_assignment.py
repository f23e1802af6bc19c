import subprocess
import sys

import numpy as np
import pytest

from setpoint.errors import DeploymentError
from setpoint.facts.deployment import Deployed, Deployment
from setpoint.release.assignment import cut, sticky_point, sticky_points

CUSTOMERS = [f"customer-{number}" for number in range(20_000)]


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


def test_weights_that_round_short_of_one_leave_no_gap_to_a_version_without_weight() -> None:
    assignment = cut(deployment({"1": 0.0, "2": 0.1, "3": 0.2, "4": 0.7}))
    assert 1 not in assignment.versions
    assert len(assignment.bounds) == 2


def test_share_of_the_answering_version_is_told() -> None:
    assignment = cut(deployment({"1": 0.95, "2": 0.05}))
    told = {assignment.version_and_share(value) for value in CUSTOMERS[:500]}
    assert told == {(1, 0.95), (2, 0.05)}


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
