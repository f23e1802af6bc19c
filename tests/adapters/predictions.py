"""Predictions for tests of the log, from one flat dictionary each."""

from functools import cache

from setpoint.facts.prediction import Answerer, Prediction


@cache
def answerer(model, version, contract, generation, columns):
    return Answerer(
        model=model, version=version, contract=contract, generation=generation, columns=columns
    )


def prediction_of(fields):
    """Return a prediction whose inputs are given by name under `features`."""
    rest = dict(fields)
    features = rest.pop("features")
    who = [rest.pop(name) for name in ("model", "version", "contract", "generation")]
    by = answerer(*who, tuple(features))
    return Prediction(by=by, values=tuple(features.values()), **rest)
