"""What a contract's `train.estimator` names, fitted.

It is `auto`, a class with scikit-learn's interface, such as LightGBM's, or a function of the project.
"""

import importlib
import inspect
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    VotingClassifier,
)

from setpoint.errors import TrainingError
from setpoint.facts.training import Recipe
from setpoint.training.preparation import prepared

_DEFAULTS: dict[str, dict[str, Any]] = {
    # A library's threads spin where cores are busy, and its reports are not for people; a contract may say otherwise.
    "catboost": {"thread_count": 1, "verbose": False, "allow_writing_files": False},
    "lightgbm": {"n_jobs": 1, "verbose": -1},
    "xgboost": {"n_jobs": 1},
}

_SUCH_AS = "write a class such as sklearn.linear_model.Ridge"

_TAKES_CODES = frozenset({"CatBoostClassifier", "XGBClassifier", "XGBRFClassifier"})
"""Classes that do not take every label: XGBoost takes 0, 1, … alone, and CatBoost makes text of truth values."""


def fitted(recipe: Recipe, frame: pd.DataFrame, labels: npt.NDArray[Any]) -> Any:
    """Fit what the recipe names and return it: an object with `predict`.

    Args:
        recipe: What to fit.
        frame: Rows to fit on, as `frame_of` gives them.
        labels: Target of these rows, shape (n,).

    Raises:
        TrainingError: The estimator is not there, does not take its parameters, or gives back nonsense.
        DataError: The rows cannot be fitted on.
    """
    if ":" in recipe.estimator:
        return _called(recipe, frame, labels)
    estimator = _constructed(recipe)
    pipeline = prepared(estimator, frame).set_params(model=_for_labels(estimator))
    return pipeline.fit(frame, labels)


def _constructed(recipe: Recipe) -> Any:
    if recipe.estimator == "auto":
        regression = recipe.task == "regression"
        kind = HistGradientBoostingRegressor if regression else HistGradientBoostingClassifier
    else:
        kind = _named(recipe.estimator)
    accepted, takes_others = _parameters(kind)
    package = kind.__module__.partition(".")[0]
    params = _DEFAULTS.get(package, {}) | dict(recipe.params)
    if "random_state" in accepted:
        params.setdefault("random_state", recipe.seed)
    if not takes_others and (unknown := sorted(set(params) - accepted)):
        allowed = ", ".join(sorted(accepted))
        msg = f"{recipe.estimator} has no parameter {unknown[0]!r}; it has {allowed}"
        raise TrainingError("raised", msg)
    return kind(**params)


def _named(path: str) -> Any:
    module, _, name = path.rpartition(".")
    try:
        found = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError, ValueError) as error:
        package = module.partition(".")[0]
        hint = f"pip install 'setpoint[{package}]'" if package in _DEFAULTS else _SUCH_AS
        msg = f"cannot find the estimator {path}: {error}; {hint}"
        raise TrainingError("raised", msg) from error
    if not (inspect.isclass(found) and hasattr(found, "fit") and hasattr(found, "predict")):
        msg = f"{path} is not a class with fit and predict; write module:function for a function"
        raise TrainingError("raised", msg)
    return found


def _parameters(kind: Any) -> tuple[set[str], bool]:
    """Return the names of a class's parameters, and whether it takes others beside them."""
    parameters = inspect.signature(kind.__init__).parameters
    named = {name for name in parameters if name != "self"}
    others = {name for name in named if parameters[name].kind is inspect.Parameter.VAR_KEYWORD}
    if others and hasattr(kind, "get_params"):
        named |= set(kind().get_params())  # XGBoost's classes name few of theirs
    return named - others, bool(others)


def _for_labels(estimator: Any) -> Any:
    """Return an estimator that takes these labels: a vote of one, which numbers them, where it takes codes alone."""
    name = type(estimator).__name__
    if name in _TAKES_CODES:
        return VotingClassifier([(name.lower(), estimator)], voting="soft")
    return estimator


def _called(recipe: Recipe, frame: pd.DataFrame, labels: npt.NDArray[Any]) -> Any:
    module, _, name = recipe.estimator.partition(":")
    try:
        function = getattr(importlib.import_module(module), name)
    except ModuleNotFoundError as error:
        if error.name is None or not (module == error.name or module.startswith(f"{error.name}.")):
            raise  # the module is there and imports something that is not
        msg = f"cannot find the module of {recipe.estimator}; it is looked for in the project and its src folder"
        raise TrainingError("raised", msg) from error
    except AttributeError as error:
        msg = f"the module {module} has no function {name!r}"
        raise TrainingError("raised", msg) from error
    np.random.seed(recipe.seed % 2**32)  # noqa: NPY002  a team's function may draw from the global generator
    model = function(frame, labels, _plain(recipe.params), recipe.seed)
    if not callable(getattr(model, "predict", None)):
        msg = f"{recipe.estimator} returned {type(model).__name__}, not a fitted estimator with predict"
        raise TrainingError("nonsense", msg)
    return model


def _plain(params: Mapping[str, Any]) -> dict[str, Any]:
    return dict(params)
