import pytest
from pydantic import ValidationError

from setpoint.contract.conditions import Condition
from setpoint.contract.retrain import Acceptance, ForecastTrigger, Retrain, ScheduleTrigger
from setpoint.contract.shares import Change
from setpoint.contract.spans import Span


def test_triggers_of_each_kind():
    retrain = Retrain.model_validate(
        {
            "when": [
                "drift.share > 30%",
                {"schedule": "0 2 * * 1"},
                {"forecast": "drift.share > 30%", "within": "48h"},
            ]
        }
    )
    condition, schedule, forecast = retrain.when
    assert condition == Condition.read("drift.share > 30%")
    assert isinstance(schedule, ScheduleTrigger)
    assert isinstance(forecast, ForecastTrigger)
    assert forecast.within == Span(172800.0, "seconds")


@pytest.mark.parametrize(
    "trigger",
    [{}, {"schedule": "hourly"}, {"forecast": "drift.share > 30%"}, {"cron": "0 2 * * 1"}, None, 5, "always", ["a"],
     {"schedule": "0 2 * * 1", "forecast": "drift.share > 30%"}],
)  # fmt: skip
def test_what_is_no_trigger_is_refused(trigger):
    with pytest.raises(ValidationError):
        Retrain.model_validate({"when": [trigger]})


@pytest.mark.parametrize("raw", [{"not_worse_by": "2%"}, "not_worse_by: 2%", "not_worse_by 2%"])
def test_a_margin_in_every_spelling(raw):
    acceptance = Acceptance.read(raw)
    assert acceptance == Acceptance("not_worse_by", Change(0.02, relative=True))
    assert Acceptance.read(str(acceptance)) == acceptance


def test_the_gates_as_written_are_the_default():
    assert Retrain().accept == Acceptance.read("beats_champion")


@pytest.mark.parametrize(
    "raw", ["", "not_worse_by", {"not_worse_by": 0.02}, {"beats": "2%"}, {}, None, 5, "always"]
)
def test_what_is_no_rule_of_acceptance_is_refused(raw):
    with pytest.raises(ValidationError):
        Retrain.model_validate({"accept": raw} if raw is not None else {"accept": [None]})


def test_a_budget_of_nothing_is_refused():
    with pytest.raises(ValidationError):
        Retrain.model_validate({"budget": {"runs": 0}})
