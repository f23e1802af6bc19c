"""What each estimator answers. One that is not listed here is converted by skl2onnx."""

from collections.abc import Callable
from typing import Any

from setpoint.training.conversion.answer import Answer, Answering
from setpoint.training.conversion.catboost_trees import catboost_boosting
from setpoint.training.conversion.columns import Block
from setpoint.training.conversion.foreign import foreign_answer
from setpoint.training.conversion.graph import Graph
from setpoint.training.conversion.hist_trees import hist_boosting
from setpoint.training.conversion.lightgbm_trees import lightgbm_boosting
from setpoint.training.conversion.sklearn_calibrated import calibrated
from setpoint.training.conversion.sklearn_composed import changed_target, stack, vote
from setpoint.training.conversion.sklearn_linear import (
    linear_regression,
    linear_scores,
    log_regression,
    logistic_regression,
    one_against_all,
)
from setpoint.training.conversion.sklearn_trees import boosting, forest
from setpoint.training.conversion.steps import name_of, transformed
from setpoint.training.conversion.xgboost_trees import xgboost_boosting


def answer_of(estimator: Any, block: Block, graph: Graph) -> Answer:
    """Return what a fitted estimator answers.

    Raises:
        NotConvertibleError: It has no ONNX form.
    """
    answering = MODELS.get(name_of(estimator))
    return (
        answering(estimator, block, graph) if answering else foreign_answer(estimator, block, graph)
    )


def _pipeline(estimator: Any, block: Block, graph: Graph) -> Answer:
    for _, step in estimator.steps[:-1]:
        block = transformed(step, block, graph)
    return answer_of(estimator.steps[-1][1], block, graph)


def _best(estimator: Any, block: Block, graph: Graph) -> Answer:
    return answer_of(estimator.best_estimator_, block, graph)


def _inner(estimator: Any, block: Block, graph: Graph) -> Answer:
    return answer_of(estimator.estimator_, block, graph)


def _with_ours(
    made: Callable[[Any, Block, Graph, Answering], Answer],
) -> Answering:
    """Return the conversion of an estimator that is made of others, which are converted here as well."""
    return lambda estimator, block, graph: made(estimator, block, graph, answer_of)


MODELS: dict[str, Answering] = {
    "catboost.CatBoostClassifier": catboost_boosting,
    "catboost.CatBoostRegressor": catboost_boosting,
    "lightgbm.LGBMClassifier": lightgbm_boosting,
    "lightgbm.LGBMRegressor": lightgbm_boosting,
    "sklearn.ARDRegression": linear_regression,
    "sklearn.BayesianRidge": linear_regression,
    "sklearn.CalibratedClassifierCV": _with_ours(calibrated),
    "sklearn.DecisionTreeClassifier": forest,
    "sklearn.DecisionTreeRegressor": forest,
    "sklearn.ElasticNet": linear_regression,
    "sklearn.ElasticNetCV": linear_regression,
    "sklearn.ExtraTreeClassifier": forest,
    "sklearn.ExtraTreeRegressor": forest,
    "sklearn.ExtraTreesClassifier": forest,
    "sklearn.ExtraTreesRegressor": forest,
    "sklearn.FixedThresholdClassifier": _inner,
    "sklearn.GammaRegressor": log_regression,
    "sklearn.GradientBoostingClassifier": boosting,
    "sklearn.GradientBoostingRegressor": boosting,
    "sklearn.GridSearchCV": _best,
    "sklearn.HalvingGridSearchCV": _best,
    "sklearn.HalvingRandomSearchCV": _best,
    "sklearn.HistGradientBoostingClassifier": hist_boosting,
    "sklearn.HistGradientBoostingRegressor": hist_boosting,
    "sklearn.HuberRegressor": linear_regression,
    "sklearn.Lars": linear_regression,
    "sklearn.Lasso": linear_regression,
    "sklearn.LassoCV": linear_regression,
    "sklearn.LassoLars": linear_regression,
    "sklearn.LinearRegression": linear_regression,
    "sklearn.LinearSVC": linear_scores,
    "sklearn.LinearSVR": linear_regression,
    "sklearn.LogisticRegression": logistic_regression,
    "sklearn.LogisticRegressionCV": logistic_regression,
    "sklearn.PassiveAggressiveClassifier": linear_scores,
    "sklearn.PassiveAggressiveRegressor": linear_regression,
    "sklearn.Perceptron": linear_scores,
    "sklearn.Pipeline": _pipeline,
    "sklearn.PoissonRegressor": log_regression,
    "sklearn.QuantileRegressor": linear_regression,
    "sklearn.RandomForestClassifier": forest,
    "sklearn.RandomForestRegressor": forest,
    "sklearn.RandomizedSearchCV": _best,
    "sklearn.Ridge": linear_regression,
    "sklearn.RidgeClassifier": linear_scores,
    "sklearn.RidgeClassifierCV": linear_scores,
    "sklearn.RidgeCV": linear_regression,
    "sklearn.SGDClassifier": one_against_all,
    "sklearn.SGDRegressor": linear_regression,
    "sklearn.StackingClassifier": _with_ours(stack),
    "sklearn.StackingRegressor": _with_ours(stack),
    "sklearn.TheilSenRegressor": linear_regression,
    "sklearn.TransformedTargetRegressor": _with_ours(changed_target),
    "sklearn.TunedThresholdClassifierCV": _inner,
    "sklearn.TweedieRegressor": log_regression,
    "sklearn.VotingClassifier": _with_ours(vote),
    "sklearn.VotingRegressor": _with_ours(vote),
    "xgboost.XGBClassifier": xgboost_boosting,
    "xgboost.XGBRFClassifier": xgboost_boosting,
    "xgboost.XGBRFRegressor": xgboost_boosting,
    "xgboost.XGBRegressor": xgboost_boosting,
}
"""What is converted here, by package and name of the class."""
