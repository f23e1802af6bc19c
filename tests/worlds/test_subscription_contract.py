from setpoint.contract.check import check
from setpoint.contract.parse import parse
from setpoint.data.validate import validate
from setpoint.worlds.subscription import DAY_S, FEATURES, START, subscription_table
from setpoint.worlds.subscription_contract import subscription_contract


def contract():
    return parse(subscription_contract(), file="model_contract.yaml")


def test_the_contract_is_sound_and_about_the_columns_of_the_world():
    found = contract()
    assert {note.kind for note in check(found)} <= {"info"}
    assert set(found.features_declared) == set(FEATURES)
    assert found.approvals_needed == 0
    data = found.require_data()
    table = subscription_table(1, rows=200, days=90)
    assert {data.target, data.time, data.key, *data.protected, *data.columns} == set(
        table.column_names
    )
    assert found.label_delay.value == 30 * DAY_S


def test_the_source_is_an_argument():
    assert (
        parse(subscription_contract("x/y.parquet"), file="c").require_data().source == "x/y.parquet"
    )


def test_live_traffic_gets_a_canary_of_200_requests_a_step():
    release = parse(subscription_contract(strategy="canary"), file="c").release
    assert release.strategy == "canary"
    assert release.min_requests == 200
    assert [float(step.traffic) for step in release.steps] == [0.2, 0.5, 1.0]
    assert contract().release.strategy == "direct"


def blocked(table, first, last):
    ticks = table["event_time"].cast("int64").to_numpy() / 1e6
    rows = (ticks >= START + first * DAY_S) & (ticks < START + last * DAY_S)
    report = validate(table.filter(rows), contract())
    return {(check.name, check.column) for check in report.blocking}


def test_the_billing_bug_is_blocked_and_no_other_fortnight_is():
    table = subscription_table(7)
    for first in range(0, 730, 14):
        found = blocked(table, first, min(first + 14, 730))
        is_hit = first < 430 and first + 14 > 420
        assert found == ({("nulls", "charges")} if is_hit else set()), first
