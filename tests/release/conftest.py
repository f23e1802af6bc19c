import pytest

from setpoint.contract.release import Release as ReleaseSection
from setpoint.facts.release import ArmCounts
from setpoint.release.rules import release_rules


@pytest.fixture
def rules():
    """Make rules from the section as people write it."""

    def make(axis="time", **section):
        return release_rules(ReleaseSection.model_validate(section), axis=axis)

    return make


@pytest.fixture
def arm():
    """Make an arm's counts."""

    def make(version, requests, errors=0, **more):
        return ArmCounts(version=version, requests=requests, errors=errors, **more)

    return make
