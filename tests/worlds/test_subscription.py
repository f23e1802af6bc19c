import numpy as np
import pyarrow.compute as pc
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import roc_auc_score
from threadpoolctl import threadpool_limits

from setpoint.worlds.subscription import (
    BILLING_BUG,
    DAY_S,
    FAMILY_PLAN,
    FEATURES,
    PRICE_CHANGE,
    START,
    live_rows,
    subscription_table,
)

SEED = 7


@pytest.fixture(scope="module")
def table():
    return subscription_table(SEED)


@pytest.fixture(scope="module")
def day(table):
    return table["event_time"].cast("int64").to_numpy() / 1e6 / DAY_S - START / DAY_S


def numbers(table):
    """Inputs as numbers; a plan that the first 150 days do not know is missing."""
    columns = []
    for name in FEATURES:
        column = table[name].to_pylist()
        if isinstance(column[0], str):
            known = (
                {"monthly": 0, "yearly": 1}
                if name == "plan"
                else {v: i for i, v in enumerate(sorted(set(column)))}
            )
            column = [known.get(value, np.nan) for value in column]
        columns.append(np.array([np.nan if v is None else v for v in column], dtype=float))
    return np.column_stack(columns)


def auc(table, day, fit, judge):
    X, y = numbers(table), np.array(table["churned"].to_pylist()) == "Yes"
    first, then = (day >= fit[0]) & (day < fit[1]), (day >= judge[0]) & (day < judge[1])
    with threadpool_limits(1):
        model = HistGradientBoostingClassifier(random_state=0, max_iter=60).fit(X[first], y[first])
        return roc_auc_score(y[then], model.predict_proba(X[then])[:, 1])


def test_the_same_seed_gives_the_same_rows_and_another_seed_others(table):
    assert subscription_table(SEED).equals(table)
    assert not subscription_table(SEED + 1).equals(table)


def test_rows_stand_in_order_of_time_over_two_years(table, day):
    assert table.num_rows == 17_500
    assert (np.diff(day) >= 0).all()
    assert 0 <= day[0] < 1
    assert 729 < day[-1] < 730
    per_month = np.histogram(day, bins=24, range=(0, 730))[0]
    assert per_month.min() > 0.8 * per_month.mean()


def test_sizes_are_arguments():
    small = subscription_table(1, rows=500, days=90)
    assert small.num_rows == 500
    assert pc.max(small["event_time"]).as_py().timestamp() < START + 90 * DAY_S


def test_about_a_quarter_leave_and_who_left_is_not_looked_at_again(table):
    churned = np.array(table["churned"].to_pylist()) == "Yes"
    assert 0.22 < churned.mean() < 0.28
    left = set()
    for customer, is_gone in zip(table["customer_id"].to_pylist(), churned.tolist(), strict=True):
        assert customer not in left
        if is_gone:
            left.add(customer)


def test_prices_rise_on_their_day_but_not_for_the_new_plan(table, day):
    charges = table["charges"].to_numpy()
    monthly = np.array(table["plan"].to_pylist()) == "monthly"
    before = charges[monthly & (day > PRICE_CHANGE - 60) & (day < PRICE_CHANGE)].mean()
    after = charges[monthly & (day >= PRICE_CHANGE) & (day < PRICE_CHANGE + 60)].mean()
    assert after / before == pytest.approx(1.25, abs=0.04)


def test_the_new_plan_is_unseen_before_its_day_and_common_a_year_later(table, day):
    family = np.array(table["plan"].to_pylist()) == "family"
    assert not family[day < FAMILY_PLAN].any()
    assert 0.2 < family[day > FAMILY_PLAN + 200].mean() < 0.45


def test_the_billing_bug_nulls_charges_on_its_days_and_no_other(table, day):
    missing = np.isnan(table["charges"].to_numpy())
    hit = (day >= BILLING_BUG[0]) & (day < BILLING_BUG[1])
    assert hit.sum() > 100
    assert (missing == hit).all()


def test_satisfaction_is_missing_more_often_where_people_leave(table):
    missing = np.isnan(table["satisfaction"].to_numpy())
    churned = np.array(table["churned"].to_pylist()) == "Yes"
    assert 0.15 < missing.mean() < 0.25
    assert missing[churned].mean() > missing[~churned].mean()


def test_gender_decides_nothing(table):
    female = np.array(table["gender"].to_pylist()) == "female"
    churned = np.array(table["churned"].to_pylist()) == "Yes"
    assert abs(churned[female].mean() - churned[~female].mean()) < 0.02


def test_a_model_left_alone_decays_and_a_refit_recovers(table, day):
    fresh = auc(table, day, (0, 120), (150, 210))
    stale = auc(table, day, (0, 120), (640, 730))
    refitted = auc(table, day, (500, 620), (650, 730))
    assert fresh > 0.78
    assert stale < fresh - 0.12
    assert refitted > stale + 0.1


def test_nothing_decays_before_the_first_event(table, day):
    assert abs(auc(table, day, (0, 90), (90, 130)) - auc(table, day, (0, 90), (130, 170))) < 0.06


def test_live_rows_are_what_a_gateway_takes_with_the_truth_of_their_day():
    rows = live_rows(3, 3000)
    assert [row.features for row in rows] == [row.features for row in live_rows(3, 3000)]
    assert all(tuple(row.features) == FEATURES for row in rows)
    assert len({row.key for row in rows}) == 3000
    assert all(
        type(value) in (str, int, float, type(None))
        for row in rows
        for value in row.features.values()
    )
    assert not any(value != value for row in rows for value in row.features.values())  # noqa: PLR0124  only NaN
    assert 0.2 < np.mean([row.truth == "Yes" for row in rows]) < 0.35


def test_live_rows_look_like_the_end_of_the_history(table, day):
    late = numbers(table.filter(day > 690))
    live = live_rows(5, 2000)
    for at, name in enumerate(FEATURES):
        if isinstance(live[0].features[name], str):
            continue
        values = np.array(
            [np.nan if row.features[name] is None else row.features[name] for row in live]
        )
        spread = np.nanstd(late[:, at])
        assert abs(np.nanmean(values) - np.nanmean(late[:, at])) < 0.25 * spread, name


def test_veterans_come_only_when_asked_for():
    assert max(row.features["tenure"] for row in live_rows(3, 500)) < 200
    asked = live_rows(3, 2000, veterans=0.1)
    assert np.mean([row.features["tenure"] == 200 for row in asked]) == pytest.approx(0.1, abs=0.03)
