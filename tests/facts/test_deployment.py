"""The deployment document refuses what contradicts itself, before any gateway acts on it."""

import msgspec
import pytest

from setpoint.errors import DeploymentError
from setpoint.facts.deployment import Deployed, Deployment, Shadow


def document(**changes: object) -> Deployment:
    given = Deployment(
        model="m",
        generation=3,
        contract="c",
        prepare=tuple(Deployed(version=v, bundle="b", artifact="a") for v in (1, 2, 3)),
        weights={"1": 1.0},
        champion=1,
    )
    return msgspec.structs.replace(given, **changes)


def test_several_shadows_of_any_fraction_are_sound() -> None:
    document(shadows=(Shadow(version=2, fraction=0.01), Shadow(version=3))).require_sound()


def test_shadow_may_have_a_weight_of_nothing() -> None:
    document(weights={"1": 1.0, "2": 0.0}, shadows=(Shadow(version=2),)).require_sound()


@pytest.mark.parametrize(
    ("shadows", "said"),
    [
        ((Shadow(version=4),), "does not prepare"),
        ((Shadow(version=2), Shadow(version=2)), "twice"),
        ((Shadow(version=1),), "traffic and shadows them too"),
        ((Shadow(version=2, fraction=0.0),), "not above 0 up to 1"),
        ((Shadow(version=2, fraction=1.5),), "not above 0 up to 1"),
        ((Shadow(version=2, fraction=float("nan")),), "not above 0 up to 1"),
    ],
)
def test_unsound_shadows_are_refused_with_their_reason(
    shadows: tuple[Shadow, ...], said: str
) -> None:
    with pytest.raises(DeploymentError, match=said):
        document(shadows=shadows).require_sound()


@pytest.mark.parametrize(
    ("weights", "said"),
    [
        ({}, "weights of 0 or more"),
        ({"1": 1.5, "2": -0.5}, "weights of 0 or more"),
        ({"1": 0.5, "2": 0.4}, "sum to 0.9"),
        ({"1": 0.5, "4": 0.5}, "does not prepare"),
        ({"1": float("nan")}, "sum to nan"),
    ],
)
def test_unsound_weights_are_refused_with_their_reason(
    weights: dict[str, float], said: str
) -> None:
    with pytest.raises(DeploymentError, match=said):
        document(weights=weights).require_sound()


def test_document_without_the_newer_fields_is_read_as_before() -> None:
    old = msgspec.json.encode(document())
    told = msgspec.json.decode(old)
    for name in ("strategy", "shadows", "override", "limits"):
        del told[name]
    assert msgspec.json.decode(msgspec.json.encode(told), type=Deployment) == document()


@pytest.mark.parametrize("name", ["", "x-setpoint-version", "x-canary", "x-2"])
def test_testers_may_have_a_header_of_their_own_or_none(name: str) -> None:
    document(override=name).require_sound()


@pytest.mark.parametrize(
    "name",
    ["X-Canary", "canary", "authorization", "x-", "x-a b", "x-a\r\nx-b", "x-api-key", "x-é"],
)
def test_header_that_means_something_else_or_is_none_is_refused(name: str) -> None:
    with pytest.raises(DeploymentError, match="lets testers use the header"):
        document(override=name).require_sound()


@pytest.mark.parametrize("number", [-1, 2**63, 2**70])
def test_number_that_no_log_can_hold_is_refused(number: int) -> None:
    with pytest.raises(DeploymentError, match=f"a generation of {number}"):
        document(generation=number).require_sound()
    odd = Deployed(version=number, bundle="b", artifact="a")
    with pytest.raises(DeploymentError, match=f"a version of {number}"):
        document(prepare=(odd,), weights={str(number): 1.0}).require_sound()
    document(generation=2**63 - 1).require_sound()


def test_unknown_word_is_not_taken_for_a_log_that_promises_less() -> None:
    told = msgspec.json.encode(document(log="durable")).replace(b"durable", b"Durable")
    with pytest.raises(msgspec.ValidationError, match=r"\$\.log"):
        msgspec.json.decode(told, type=Deployment)
