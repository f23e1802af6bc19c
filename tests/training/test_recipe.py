import pytest

from setpoint.contract.parse import from_plain
from setpoint.errors import DataError
from setpoint.training.recipe import recipe_of

PLAIN = {
    "model": {"name": "churn", "task": "binary"},
    "data": {
        "source": "a.csv",
        "target": "churned",
        "positive": True,
        "time": "at",
        "key": "id",
        "columns": {
            "tenure": {"type": "int", "min": 0, "max": 120, "nulls": "0%"},
            "plan": {"type": "category", "values": ["monthly", "1"]},
            "score": {"type": "float", "use": False},
        },
    },
    "train": {"params": {"max_iter": 7}, "seed": 11},
}
INPUTS = {
    "tenure": "int",
    "plan": "category",
    "score": "float",
    "born": "datetime",
    "id": "category",
    "at": "datetime",
    "churned": "category",
    "note": "text",
}


def test_features_are_the_inputs_that_an_estimator_takes():
    recipe = recipe_of(from_plain(PLAIN), INPUTS)
    assert [(f.name, f.kind) for f in recipe.features] == [
        ("tenure", "int"),
        ("plan", "category"),
        ("note", "text"),
    ]


def test_limits_of_the_contract_travel_to_the_request():
    tenure, plan, note = recipe_of(from_plain(PLAIN), INPUTS).features
    assert (tenure.low, tenure.high, tenure.nullable) == (0.0, 120.0, False)
    assert (plan.values, plan.nullable) == (("monthly", "1"), True)
    assert (note.low, note.values, note.nullable) == (None, None, True)


def test_the_rest_is_the_contracts():
    recipe = recipe_of(from_plain(PLAIN), INPUTS)
    assert (recipe.positive, recipe.target, recipe.task) == ("true", "churned", "binary")
    assert (recipe.params, recipe.seed, recipe.estimator) == ({"max_iter": 7}, 11, "auto")
    assert recipe.time_limit_s == 600
    assert recipe_of(from_plain(PLAIN), INPUTS, seed=12).seed == 12


def test_no_input_is_an_error():
    with pytest.raises(DataError, match="no input column"):
        recipe_of(from_plain(PLAIN), {"churned": "category", "score": "float"})
