"""Tests of what scopes and keys allow: per verb and model, and nothing by what is misspelt."""

import pytest

from setpoint.facts.api_key import VERBS, ApiKey
from setpoint.facts.grant import allowed_by, grant_of_key


@pytest.mark.parametrize(
    ("scopes", "allowed"),
    [
        ((), {}),
        (("setpoint:predict",), {"predict": set()}),
        (("setpoint:predict:churn", "openid"), {"predict": {"churn"}}),
        (("setpoint:read:a", "setpoint:read:b", "setpoint:metrics"), {"read": {"a", "b"}, "metrics": set()}),
        (("setpoint:read:a", "setpoint:read"), {"read": set()}),
        (("setpoint:read", "setpoint:read:a"), {"read": set()}),
        (("setpoint:outcomes:a:b",), {"outcomes": {"a:b"}}),
    ],
)  # fmt: skip
def test_scopes_allow_verbs_for_all_models_or_for_some(scopes, allowed):
    assert allowed_by(scopes) == allowed


@pytest.mark.parametrize(
    "scope",
    ["predict", "setpoint", "setpoint:", "setpoint:*", "setpoint:Predict", "setpoint:predict:",
     "Setpoint:predict", "setpoint :predict", "xsetpoint:predict", "setpoint:admin", ":predict"],
)  # fmt: skip
def test_what_is_misspelt_allows_nothing(scope):
    assert allowed_by([scope]) == {}


def test_key_allows_its_verbs_for_its_models():
    grant = grant_of_key(
        ApiKey(name="ann", digest="d", verbs=VERBS, models=("churn",), expires=7.0)
    )
    assert set(grant.allowed) == set(VERBS)
    assert set(grant.allowed.values()) == {frozenset({"churn"})}
    assert (grant.who, grant.expires) == ("the API key of 'ann'", 7.0)
