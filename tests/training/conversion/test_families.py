"""Every family of estimators answers the same as ONNX, missing, unseen and extreme values too."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from catboost import CatBoostClassifier, CatBoostRegressor
from lightgbm import LGBMClassifier, LGBMRegressor
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import (
    ColumnTransformer,
    TransformedTargetRegressor,
    make_column_transformer,
)
from sklearn.decomposition import PCA
from sklearn.ensemble import (
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
    StackingClassifier,
    StackingRegressor,
    VotingClassifier,
    VotingRegressor,
)
from sklearn.impute import SimpleImputer
from sklearn.linear_model import (
    ElasticNet,
    GammaRegressor,
    LinearRegression,
    LogisticRegression,
    LogisticRegressionCV,
    PoissonRegressor,
    Ridge,
    SGDClassifier,
    SGDRegressor,
    TweedieRegressor,
)
from sklearn.model_selection import GridSearchCV, KFold
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    MaxAbsScaler,
    MinMaxScaler,
    OneHotEncoder,
    OrdinalEncoder,
    PowerTransformer,
    RobustScaler,
    SplineTransformer,
    StandardScaler,
    TargetEncoder,
)
from sklearn.svm import SVC, LinearSVC
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor
from xgboost import XGBClassifier, XGBRegressor, XGBRFRegressor

from setpoint.facts.training import Feature, Recipe
from setpoint.training.conversion.convert import convert
from setpoint.training.estimators import fitted
from setpoint.training.frame import frame_of
from setpoint.training.model import Form, NativeModel
from setpoint.training.preparation import prepared

FEATURES = (
    Feature(name="number", kind="float"),
    Feature(name="plan", kind="category"),
    Feature(name="whole", kind="int"),
    Feature(name="flag", kind="bool"),
    Feature(name="city", kind="text"),
    Feature(name="stamp", kind="float"),
)
NUMBERS = ["number", "whole", "flag", "stamp"]
TEXTS = ["plan", "city"]
ROWS, FIT = 600, 400
EXACT = 1e-7
"""Where both calculate in double, on stamps of nine digits; the others calculate in float32 somewhere."""


def rows(seed=0):
    chance = np.random.default_rng(seed)
    number = chance.normal(size=ROWS)
    plan = np.array(["monthly", "yearly", "zweijährig"])[chance.integers(0, 3, ROWS)]
    whole = chance.integers(0, 9, ROWS)
    table = pa.table(
        {
            "number": pa.array(number, mask=chance.random(ROWS) < 0.1),
            "plan": pa.array(plan.tolist(), mask=chance.random(ROWS) < 0.1),
            "whole": pa.array(whole),
            "flag": pa.array(chance.random(ROWS) < 0.5),
            "city": pa.array([f"city {at % 17}" for at in range(ROWS)]),
            "stamp": pa.array(1.7e9 + chance.integers(0, 400, ROWS)),
        }
    )
    signal = number + (plan == "yearly") + whole / 4 + chance.normal(size=ROWS) / 4
    return frame_of(table, FEATURES), signal


FRAME, SIGNAL = rows()
TARGETS = {
    "binary": np.where(SIGNAL > 1.3, "Yes", "No").astype(object),
    "multiclass": np.array(["low", "mid", "top"], object)[np.digitize(SIGNAL, [0.8, 1.8])],
    "regression": SIGNAL * 100,
    "counts": np.floor(np.exp(SIGNAL / 2)) + 1,
}
CLASSES = {
    "binary": ("Yes", "No"),  # not in sorting order: the positive class is No
    "multiclass": ("low", "mid", "top"),
    "regression": (),
    "counts": (),
}


def converted(estimator, task, features=FEATURES):
    """Fit an estimator on the first rows, convert it, and return how far the rest are off."""
    frame = FRAME[[feature.name for feature in features]]
    estimator.fit(frame.iloc[:FIT], TARGETS[task][:FIT])
    form = Form("regression" if task == "counts" else task, features, CLASSES[task], 0.5)
    model = NativeModel(estimator, form)
    return compared(model, frame)


def compared(model, frame):
    rest = frame.iloc[FIT:]
    answers = model.answer(rest)
    done = convert(model, rest, answers, frame.iloc[:FIT])
    assert done.reason == ""
    for at in (0, 17):
        one = done.model.answer_one(rest.iloc[at].to_dict())
        np.testing.assert_allclose(one.probability, done.answers.probability[at : at + 1], 1e-6)
        np.testing.assert_allclose(one.value, done.answers.value[at : at + 1], 1e-6)
    np.testing.assert_array_equal(answers.label, done.answers.label)
    if answers.value.size:
        gap = np.abs(answers.value - done.answers.value) / np.maximum(np.abs(answers.value), 1)
        return float(gap.max())
    return float(np.abs(answers.probability - done.answers.probability).max())


CLASSIFIERS = {
    "forest": RandomForestClassifier(20, random_state=0),
    "forest of small leaves": RandomForestClassifier(20, min_samples_leaf=3, random_state=0),
    "extra trees": ExtraTreesClassifier(20, random_state=0),
    "tree": DecisionTreeClassifier(random_state=0),
    "stump": DecisionTreeClassifier(max_depth=1, random_state=0),
    "gradient boosting": GradientBoostingClassifier(n_estimators=10, random_state=0),
    "histogram boosting": HistGradientBoostingClassifier(max_iter=10, random_state=0),
    "logistic": LogisticRegression(max_iter=5000),
    "logistic, chosen": LogisticRegressionCV(
        Cs=2,
        cv=2,
        max_iter=5000,
        l1_ratios=(0,),
        use_legacy_attributes=False,
        scoring="neg_log_loss",
    ),
    "stochastic": SGDClassifier(loss="log_loss", random_state=0),
    "LightGBM": LGBMClassifier(n_estimators=10, verbose=-1, n_jobs=1),
}


@pytest.mark.parametrize("task", ["binary", "multiclass"])
@pytest.mark.parametrize("name", CLASSIFIERS)
def test_classifiers_are_exact(name, task):
    assert converted(prepared(CLASSIFIERS[name], FRAME), task) < EXACT


REGRESSORS = {
    "forest": RandomForestRegressor(20, random_state=0),
    "extra trees": ExtraTreesRegressor(20, random_state=0),
    "tree": DecisionTreeRegressor(random_state=0),
    "gradient boosting": GradientBoostingRegressor(n_estimators=10, random_state=0),
    "huber boosting": GradientBoostingRegressor(loss="huber", n_estimators=10, random_state=0),
    "histogram boosting": HistGradientBoostingRegressor(max_iter=10, random_state=0),
    "quantile boosting": HistGradientBoostingRegressor(loss="quantile", quantile=0.9, max_iter=9),
    "linear": LinearRegression(),
    "ridge": Ridge(),
    "elastic net": ElasticNet(),
    "stochastic": SGDRegressor(random_state=0),
    "LightGBM": LGBMRegressor(n_estimators=10, verbose=-1, n_jobs=1),
    "LightGBM, few": LGBMRegressor(n_estimators=3, num_leaves=2, verbose=-1, n_jobs=1),
    "LightGBM's forest": LGBMRegressor(
        boosting_type="rf", subsample=0.5, subsample_freq=1, n_estimators=5, verbose=-1, n_jobs=1
    ),
    "CatBoost": CatBoostRegressor(iterations=10, verbose=False, allow_writing_files=False),
}


@pytest.mark.parametrize("name", REGRESSORS)
def test_regressors_are_exact(name):
    assert converted(prepared(REGRESSORS[name], FRAME), "regression") < EXACT


COUNTERS = {
    "Poisson": PoissonRegressor(),
    "gamma": GammaRegressor(),
    "Tweedie": TweedieRegressor(power=1.5),
    "Poisson boosting": HistGradientBoostingRegressor(loss="poisson", max_iter=10),
    "gamma boosting": HistGradientBoostingRegressor(loss="gamma", max_iter=10),
    "LightGBM, Poisson": LGBMRegressor(objective="poisson", n_estimators=10, verbose=-1, n_jobs=1),
    "CatBoost, Poisson": CatBoostRegressor(
        loss_function="Poisson", iterations=10, verbose=False, allow_writing_files=False
    ),
}


@pytest.mark.parametrize("name", COUNTERS)
def test_regressors_on_a_log_scale_are_exact(name):
    assert converted(prepared(COUNTERS[name], FRAME), "counts") < EXACT


FLOAT32 = {
    "XGBoost": ("regression", XGBRegressor(n_estimators=10, n_jobs=1)),
    "XGBoost, Poisson": ("counts", XGBRegressor(objective="count:poisson", n_estimators=9)),
    "XGBoost's forest": ("regression", XGBRFRegressor(n_estimators=10, n_jobs=1)),
    "neighbours": ("binary", KNeighborsClassifier()),
    "vectors": ("binary", SVC(probability=True, random_state=0)),
    "network": ("multiclass", MLPClassifier(max_iter=30, random_state=0)),
    "naive Bayes": ("multiclass", GaussianNB()),
}


@pytest.mark.parametrize("name", FLOAT32)
@pytest.mark.filterwarnings(
    "ignore::sklearn.exceptions.ConvergenceWarning", "ignore::FutureWarning"
)
def test_those_that_calculate_in_float32_are_near(name):
    task, estimator = FLOAT32[name]
    assert converted(prepared(estimator, FRAME), task) < 1e-5


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
@pytest.mark.parametrize("package", ["lightgbm.LGBM", "xgboost.XGB", "catboost.CatBoost"])
def test_a_contract_may_name_another_librarys_class(package, task):
    kind = "Regressor" if task == "regression" else "Classifier"
    recipe = Recipe(
        estimator=package + kind,
        params={"iterations" if "cat" in package else "n_estimators": 8, "learning_rate": 0.3},
        task=task,
        target="target",
        positive="",
        features=FEATURES,
        threshold=0.5,
        seed=3,
        time_limit_s=60.0,
        memory_limit=10**9,
    )
    estimator = fitted(recipe, FRAME.iloc[:FIT], TARGETS[task][:FIT])
    model = NativeModel(estimator, Form(task, FEATURES, CLASSES[task], 0.5))
    assert compared(model, FRAME) < 1e-5
    truth = TARGETS[task][FIT:]
    answers = model.answer(FRAME.iloc[FIT:])
    if task == "regression":
        assert np.corrcoef(answers.value, truth)[0, 1] > 0.8
    else:
        names = np.array(CLASSES[task], object)
        assert np.mean(names[answers.label] == truth) > 0.7


@pytest.mark.parametrize("method", ["sigmoid", "isotonic"])
@pytest.mark.parametrize("task", ["binary", "multiclass"])
@pytest.mark.parametrize("name", ["logistic", "forest", "histogram boosting", "LightGBM"])
def test_calibrated_classifiers_are_exact(name, task, method):
    inner = prepared(CLASSIFIERS[name], FRAME)
    for ensemble in (True, False):
        estimator = CalibratedClassifierCV(inner, method=method, cv=2, ensemble=ensemble)
        assert converted(estimator, task) < EXACT


def native_categories(kind, **more):
    chosen = {"max_iter": 10, "random_state": 0, "categorical_features": TEXTS}
    return kind(**(chosen | more))


@pytest.mark.parametrize(
    ("task", "estimator"),
    [
        ("binary", native_categories(HistGradientBoostingClassifier)),
        ("multiclass", native_categories(HistGradientBoostingClassifier)),
        ("regression", native_categories(HistGradientBoostingRegressor)),
        (
            "binary",
            native_categories(
                HistGradientBoostingClassifier, categorical_features=["city", "whole", "flag"]
            ),
        ),
    ],
)
def test_native_categories_are_exact(task, estimator):
    features = FEATURES
    if "plan" not in estimator.categorical_features:
        features = tuple(one for one in FEATURES if one.name != "plan")
    assert converted(estimator, task, features) < EXACT


@pytest.mark.parametrize("task", ["binary", "multiclass"])
def test_native_categories_of_codes_are_exact(task):
    estimator = HistGradientBoostingClassifier(
        max_iter=10, random_state=0, categorical_features=[0, 1]
    )
    assert converted(prepared(estimator, FRAME), task) < EXACT


def test_lightgbms_native_categories_are_exact():
    codes = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)
    columns = make_column_transformer((codes, TEXTS), ("passthrough", NUMBERS))
    model = LGBMClassifier(n_estimators=10, verbose=-1, n_jobs=1, min_data_per_group=5)
    data = columns.fit_transform(FRAME.iloc[:FIT])
    model.fit(data, TARGETS["binary"][:FIT], categorical_feature=[0, 1])
    pipeline = make_pipeline(columns, model)
    form = Form("binary", FEATURES, CLASSES["binary"], 0.5)
    assert "==" in str(model.booster_.dump_model())
    assert compared(NativeModel(pipeline, form), FRAME) < EXACT


def test_xgboosts_native_categories_are_near():
    codes = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=np.nan)
    columns = make_column_transformer((codes, TEXTS), ("passthrough", NUMBERS))
    kinds = ["c", "c", "q", "q", "q", "q"]
    model = XGBRegressor(
        n_estimators=10, n_jobs=1, feature_types=kinds, enable_categorical=True, max_cat_to_onehot=1
    )
    data = columns.fit_transform(FRAME.iloc[:FIT])
    model.fit(data, TARGETS["regression"][:FIT])
    pipeline = make_pipeline(columns, model)
    form = Form("regression", FEATURES, (), 0.5)
    assert compared(NativeModel(pipeline, form), FRAME) < 1e-5


def one_hot(**more):
    return OneHotEncoder(**({"handle_unknown": "ignore", "sparse_output": False} | more))


def columns(texts, numbers="passthrough", **more):
    return ColumnTransformer([("t", texts, TEXTS), ("n", numbers, NUMBERS)], **more)


FILL = SimpleImputer(strategy="median")
PIPELINES = {
    "grouped categories": (columns(one_hot(min_frequency=20), FILL), LogisticRegression),
    "unseen are rare": (
        columns(one_hot(min_frequency=20, handle_unknown="infrequent_if_exist"), FILL),
        LogisticRegression,
    ),
    "dropped categories": (columns(one_hot(drop="first"), FILL), LogisticRegression),
    "sparse": (
        ColumnTransformer([("t", one_hot(sparse_output=True), TEXTS)], sparse_threshold=1.0),
        LogisticRegression,
    ),
    "target encoder": (columns(TargetEncoder(cv=KFold(2)), FILL), LogisticRegression),
    "one-hot into a forest": (columns(one_hot(), FILL), RandomForestClassifier),
    "one-hot into boosting": (columns(one_hot()), HistGradientBoostingClassifier),
    "grouped into a forest": (columns(one_hot(min_frequency=20), FILL), RandomForestClassifier),
    "scaled one-hot into a forest": (
        make_pipeline(columns(one_hot(), FILL), StandardScaler()),
        RandomForestClassifier,
    ),
    "scaled for a forest": (
        columns(
            OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1),
            make_pipeline(FILL, RobustScaler()),
        ),
        RandomForestClassifier,
    ),
    "filled after scaling": (
        columns(one_hot(), make_pipeline(StandardScaler(), SimpleImputer())),
        LogisticRegression,
    ),
    "filled after scaling, trees": (
        columns(one_hot(), make_pipeline(MinMaxScaler(), SimpleImputer())),
        RandomForestClassifier,
    ),
    "scaled by the largest": (
        columns(one_hot(), make_pipeline(FILL, MaxAbsScaler())),
        LogisticRegression,
    ),
    "missing shown": (
        columns(one_hot(), SimpleImputer(add_indicator=True)),
        LogisticRegression,
    ),
    "missing text named": (
        columns(
            make_pipeline(SimpleImputer(strategy="constant", fill_value="gone"), one_hot()), FILL
        ),
        LogisticRegression,
    ),
    "missing text guessed": (
        columns(make_pipeline(SimpleImputer(strategy="most_frequent"), one_hot()), FILL),
        RandomForestClassifier,
    ),
    "ordinal weighed": (
        columns(
            OrdinalEncoder(
                handle_unknown="use_encoded_value", unknown_value=-1, encoded_missing_value=-2
            ),
            FILL,
        ),
        LogisticRegression,
    ),
    "numbers as categories": (
        ColumnTransformer(
            [("c", one_hot(), ["plan", "whole", "flag"]), ("n", FILL, ["number", "stamp"])]
        ),
        RandomForestClassifier,
    ),
    "numbers as ordinals": (
        ColumnTransformer(
            [
                (
                    "c",
                    OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1),
                    ["whole", "city"],
                ),
                ("n", FILL, ["stamp", "number"]),
            ]
        ),
        LogisticRegression,
    ),
    "the rest passes": (
        make_column_transformer((one_hot(), TEXTS), remainder="passthrough"),
        HistGradientBoostingClassifier,
    ),
    "by position": (
        ColumnTransformer([("t", one_hot(), [1, 4]), ("n", FILL, slice(2, 4)), ("f", FILL, [-1])]),
        LogisticRegression,
    ),
    "by mask": (
        ColumnTransformer([("t", one_hot(), [False, True, False, False, True, False])]),
        LogisticRegression,
    ),
    "a slice of names": (
        ColumnTransformer([("n", FILL, slice("whole", "flag")), ("t", "drop", TEXTS)]),
        RandomForestClassifier,
    ),
    "logarithms": (
        columns(
            one_hot(),
            make_pipeline(FILL, FunctionTransformer(np.abs), FunctionTransformer(np.log1p)),
        ),
        LogisticRegression,
    ),
    "a union": (
        columns(
            one_hot(),
            make_pipeline(FILL, FeatureUnion([("a", StandardScaler()), ("b", MinMaxScaler())])),
        ),
        LogisticRegression,
    ),
    "many scalers": (
        columns(one_hot(), make_pipeline(FILL, StandardScaler(), MinMaxScaler(), MaxAbsScaler())),
        HistGradientBoostingClassifier,
    ),
}


@pytest.mark.parametrize("task", ["binary", "multiclass"])
@pytest.mark.parametrize("name", PIPELINES)
def test_pipelines_of_ones_own_are_exact(name, task):
    before, kind = PIPELINES[name]
    wanted = {"max_iter": 10000, "n_estimators": 20, "random_state": 0}
    if kind is HistGradientBoostingClassifier:
        wanted["max_iter"] = 10
    known = kind().get_params()
    estimator = kind(**{key: value for key, value in wanted.items() if key in known})
    if kind is LogisticRegression:
        scale = StandardScaler(with_mean=name != "sparse")  # the stamp would drown everything else
        assert converted(make_pipeline(before, scale, estimator), task) < EXACT
    else:
        assert converted(make_pipeline(before, estimator), task) < EXACT


def test_a_part_that_only_skl2onnx_knows_stands_between_ours():
    before = columns(one_hot(), make_pipeline(FILL, StandardScaler(), PCA(2)))
    for estimator in (LogisticRegression(), HistGradientBoostingClassifier(max_iter=5)):
        assert converted(make_pipeline(before, estimator), "binary") < 1e-6


def test_searches_and_votes_are_exact():
    forest, boosting = CLASSIFIERS["forest"], CLASSIFIERS["histogram boosting"]
    search = GridSearchCV(prepared(forest, FRAME), {"model__max_depth": [2, 3]}, cv=2)
    assert converted(search, "multiclass") < EXACT
    both = [("one", prepared(forest, FRAME)), ("other", prepared(boosting, FRAME))]
    assert converted(VotingClassifier(both, voting="soft", weights=[1, 3]), "binary") < EXACT
    trees = prepared(REGRESSORS["forest"], FRAME)
    line = prepared(LinearRegression(), FRAME)
    assert converted(VotingRegressor([("one", trees), ("other", line)]), "regression") < EXACT


@pytest.mark.parametrize("kind", [CatBoostClassifier, XGBClassifier])
def test_fits_that_stopped_early_answer_by_the_best_iteration(kind):
    columns = FRAME[["number", "whole"]]
    codes = (TARGETS["binary"] == "Yes").astype(int) ^ (np.arange(ROWS) % 5 == 0)
    fit, rest = columns.iloc[:FIT], columns.iloc[FIT:]
    if kind is CatBoostClassifier:
        model = kind(iterations=200, verbose=False, allow_writing_files=False)
        model.fit(fit, codes[:FIT], eval_set=(rest, codes[FIT:]), early_stopping_rounds=3)
    else:
        model = kind(n_estimators=200, early_stopping_rounds=3, n_jobs=1)
        model.fit(fit, codes[:FIT], eval_set=[(rest, codes[FIT:])], verbose=False)
    features = (FEATURES[0], FEATURES[2])
    native = NativeModel(model, Form("binary", features, ("0", "1"), 0.5))
    assert compared(native, columns) < 1e-6


def test_numbers_alone_and_texts_alone_are_answered():
    for names, estimator in (
        (NUMBERS, prepared(CLASSIFIERS["forest"], FRAME[NUMBERS])),
        (TEXTS, prepared(CLASSIFIERS["logistic"], FRAME[TEXTS])),
        (TEXTS[:1], prepared(CLASSIFIERS["histogram boosting"], FRAME[TEXTS[:1]])),
    ):
        features = tuple(one for one in FEATURES if one.name in names)
        assert converted(estimator, "binary", features) < EXACT


def test_infinities_and_the_largest_numbers_are_answered_as_the_native_model_does():
    estimator = prepared(CLASSIFIERS["histogram boosting"], FRAME)
    estimator.fit(FRAME.iloc[:FIT], TARGETS["binary"][:FIT])
    model = NativeModel(estimator, Form("binary", FEATURES, CLASSES["binary"], 0.5))
    done = convert(model, FRAME.iloc[FIT:], model.answer(FRAME.iloc[FIT:]), FRAME.iloc[:FIT])
    largest = float(np.finfo(np.float32).max)
    strange = pd.concat([FRAME.iloc[[0]]] * 5, ignore_index=True)
    strange["number"] = [np.inf, -np.inf, largest, -largest, 5e-324]
    answers = done.model.answer(strange)
    np.testing.assert_allclose(answers.probability, model.answer(strange).probability, atol=1e-12)


COMPOSED = {
    "scores": ("binary", CalibratedClassifierCV(LinearSVC(), cv=2)),
    "scores of many": ("multiclass", CalibratedClassifierCV(SGDClassifier(random_state=0), cv=2)),
    "a share": ("binary", CalibratedClassifierCV(XGBClassifier(n_estimators=5), cv=2)),
    "shares": (
        "multiclass",
        CalibratedClassifierCV(
            CatBoostClassifier(iterations=5, verbose=False, allow_writing_files=False), cv=2
        ),
    ),
    "another scale": (
        "binary",
        CalibratedClassifierCV(
            GradientBoostingClassifier(loss="exponential", n_estimators=5, random_state=0), cv=2
        ),
    ),
    "a stack": (
        "binary",
        StackingClassifier(
            [("f", CLASSIFIERS["forest"]), ("l", CLASSIFIERS["logistic"])], passthrough=True, cv=2
        ),
    ),
    "a stack of many": (
        "multiclass",
        StackingClassifier([("f", CLASSIFIERS["forest"]), ("l", CLASSIFIERS["logistic"])], cv=2),
    ),
    "a stack of regressors": (
        "regression",
        StackingRegressor([("f", REGRESSORS["forest"]), ("l", REGRESSORS["ridge"])], cv=2),
    ),
    "a changed target": (
        "counts",
        TransformedTargetRegressor(REGRESSORS["forest"], func=np.log1p, inverse_func=np.expm1),
    ),
    "exponential loss": (
        "binary",
        GradientBoostingClassifier(loss="exponential", n_estimators=5, random_state=0),
    ),
}


@pytest.mark.parametrize("name", COMPOSED)
def test_estimators_that_are_made_of_others_are_near(name):
    task, estimator = COMPOSED[name]
    if name == "a share":
        estimator = make_pipeline(prepared(LogisticRegression(), FRAME)[0], estimator)
        codes = (TARGETS["binary"][:FIT] == "Yes").astype(int)
        estimator.fit(FRAME.iloc[:FIT], codes)
        form = Form("binary", FEATURES, ("0", "1"), 0.5)
        assert compared(NativeModel(estimator, form), FRAME) < 1e-5
    else:
        assert converted(prepared(estimator, FRAME), task) < EXACT


@pytest.mark.parametrize(
    ("part", "reason"),
    [
        (PowerTransformer(), "differ on evaluation rows"),  # nine digits in float32
        (SplineTransformer(), "SplineTransformer"),
        (FunctionTransformer(np.sinh), "the function sinh"),
    ],
)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_a_part_that_is_converted_wrong_or_not_at_all_stays_native(part, reason):
    before = columns(one_hot(), make_pipeline(FILL, MinMaxScaler(), part))
    if "evaluation" in reason:
        before = columns(one_hot(), make_pipeline(FILL, part))
    estimator = make_pipeline(before, LogisticRegression(max_iter=5000))
    estimator.fit(FRAME.iloc[:FIT], TARGETS["binary"][:FIT])
    model = NativeModel(estimator, Form("binary", FEATURES, CLASSES["binary"], 0.5))
    rest = FRAME.iloc[FIT:]
    done = convert(model, rest, model.answer(rest), FRAME.iloc[:FIT])
    assert reason in done.reason
    assert done.data == b""
