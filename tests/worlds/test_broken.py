import importlib
import pickle

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from setpoint.facts.training import Feature
from setpoint.training.frame import frame_of, frame_of_values
from setpoint.worlds.broken import BRITTLE, brittle, shuffled_labels
from setpoint.worlds.subscription import FEATURES, live_rows, subscription_table

TEXTS = {"plan", "country", "payment_method"}
INPUTS = tuple(Feature(name=n, kind="category" if n in TEXTS else "float") for n in FEATURES)


@pytest.fixture(scope="module")
def table():
    return subscription_table(7, rows=4000, days=200)


def labels(table):
    return np.array(table["churned"].to_pylist())


def test_shuffled_labels_keep_their_shares_and_everything_else(table):
    broken = shuffled_labels(table, "churned", 1)
    assert sorted(labels(broken)) == sorted(labels(table))
    assert (labels(broken) != labels(table)).any()
    assert broken.drop_columns("churned").equals(table.drop_columns("churned"))
    assert broken.schema.equals(table.schema)


def test_a_model_of_shuffled_labels_has_learnt_nothing(table):
    frame, cut = frame_of(table, INPUTS), 3000
    model = brittle(frame[:cut], labels(shuffled_labels(table, "churned", 1))[:cut], {}, 0)
    auc = roc_auc_score(labels(table)[cut:] == "Yes", model.predict_proba(frame[cut:])[:, 1])
    assert 0.4 < auc < 0.6


def test_the_brittle_model_is_good_on_every_row_of_the_past_and_fails_on_a_longer_tenure(table):
    frame, cut = frame_of(table, INPUTS), 3000
    module, _, name = BRITTLE.partition(":")
    fit = getattr(importlib.import_module(module), name)
    model = pickle.loads(pickle.dumps(fit(frame[:cut], labels(table)[:cut], {}, 0)))  # noqa: S301  our own
    auc = roc_auc_score(labels(table)[cut:] == "Yes", model.predict_proba(frame[cut:])[:, 1])
    assert auc > 0.75
    rows = [row.features for row in live_rows(2, 50, day=190.0, veterans=0.3)]
    for row in rows:
        one = frame_of_values({name: [row[name]] for name in FEATURES}, INPUTS)
        if row["tenure"] == 200:
            with pytest.raises(IndexError):
                model.predict_proba(one)
        else:
            assert model.predict_proba(one).shape == (1, 2)
