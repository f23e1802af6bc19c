from itertools import pairwise

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_contracts import contract

from setpoint.contract.parse import from_plain
from setpoint.data.conform import conform
from setpoint.data.parts import hashed_columns, parts, seen_by_hash

SPLIT = {"split": {"validation": "10%", "test": "25%"}}


def table(rows: int, seed: int = 0) -> pa.Table:
    rng = np.random.default_rng(seed)
    return pa.table(
        {
            "x": rng.normal(size=rows),
            "c": rng.choice(list("abc"), rows),
            "y": rng.choice(["0", "1"], rows),
        }
    )


def by_key(table: pa.Table, positions) -> set:
    return set(table["x"].take(pa.array(positions)).to_pylist())


def test_each_labelled_row_is_in_exactly_one_part():
    rows = table(5000)
    found = parts(rows, contract(train=SPLIT), False, 7)
    everything = np.concatenate([found.fit, found.validation, found.test])
    assert sorted(everything.tolist()) == list(range(5000))
    assert len(found.test) == pytest.approx(1250, abs=120)
    assert len(found.validation) == pytest.approx(375, abs=80)


def test_a_row_keeps_its_part_when_rows_are_added_and_shuffled():
    rows = table(2000)
    before = parts(rows, contract(train=SPLIT), False, 7)
    order = np.random.default_rng(1).permutation(3000)
    more = pa.concat_tables([rows, table(1000, seed=9)]).take(pa.array(order))
    after = parts(more, contract(train=SPLIT), False, 7)
    assert by_key(rows, before.test) <= by_key(more, after.test)
    assert by_key(rows, before.fit) <= by_key(more, after.fit)


def test_a_row_keeps_its_part_when_its_label_changes_or_arrives():
    rows = table(500)
    flipped = rows.set_column(2, "y", pa.array(["1"] * 500))
    assert (
        parts(rows, contract(), False, 7).test.tolist()
        == parts(flipped, contract(), False, 7).test.tolist()
    )


def test_equal_rows_are_in_one_part():
    rows = table(300)
    found = parts(pa.concat_tables([rows, rows]), contract(), False, 7)
    assert set(found.test[found.test >= 300] - 300) == set(found.test[found.test < 300])


def test_rows_of_one_key_are_in_one_part():
    rows = table(1000).append_column("k", pa.array([str(i % 50) for i in range(1000)]))
    found = parts(rows, contract(key="k"), False, 7)
    assert not {i % 50 for i in found.test} & {i % 50 for i in found.fit}
    assert hashed_columns(rows, contract(key="k")) == ("k",)


def test_rows_without_a_label_are_in_no_part():
    rows = pa.table({"x": [1.0, 2.0, 3.0], "y": ["a", None, "b"]})
    found = parts(rows, contract(), False, 0)
    assert sorted([*found.fit, *found.validation, *found.test]) == [0, 2]


def test_another_seed_gives_other_parts():
    rows = table(1000)
    assert (
        parts(rows, contract(), False, 1).test.tolist()
        != parts(rows, contract(), False, 2).test.tolist()
    )


def test_what_another_version_saw_can_be_told_from_its_seed():
    rows = table(1000)
    found = parts(rows, contract(train=SPLIT), False, 3)
    seen = seen_by_hash(rows, hashed_columns(rows, contract()), seed=3, test_share=0.25)
    assert not seen[found.test].any()
    assert seen[found.fit].all()


def ordered_contract(delay: str, test: str = "20%", validation: str = "10%", *, time: bool = True):
    data = {"source": "x", "target": "y", "columns": {"x": {"type": "float"}}}
    if time:
        data["time"] = "t"
    return from_plain(
        {
            "model": {"name": "m", "task": "binary"},
            "data": data,
            "train": {"split": {"test": test, "validation": validation}},
            "monitor": {"performance": {"label_delay": delay}},
        }
    )


def dated(days: list[int]) -> pa.Table:
    stamps = pa.array([day * 86_400 * 10**6 for day in days], pa.timestamp("us", tz="UTC"))
    return pa.table(
        {"t": stamps, "x": np.arange(len(days), dtype=float), "y": ["a", "b"] * (len(days) // 2)}
    )


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.integers(0, 40), min_size=20, max_size=80),
    st.integers(0, 10),
    st.sampled_from(["20%", "5 rows"]),
)
def test_judging_rows_are_later_than_fitting_rows_by_the_label_delay(days, delay, test):
    days = sorted(days[: len(days) // 2 * 2])
    rows = dated(days)
    found = parts(rows, ordered_contract(f"{delay}d" if delay else "0d", test), True, 0)
    day = np.array(days)
    parts_in_order = [part for part in (found.fit, found.validation, found.test) if part.size]
    for earlier, later in pairwise(parts_in_order):
        assert day[earlier].max() <= day[later].min() - delay
        assert day[earlier].max() < day[later].min()


def test_rows_of_one_moment_are_not_cut():
    found = parts(dated([1] * 8 + [2] * 2), ordered_contract("0d", "5 rows", "0%"), True, 0)
    assert found.test.tolist() == list(range(10))
    assert found.fit.size == 0


def test_by_rows_the_newest_share_judges():
    found = parts(table(1000), ordered_contract("48 rows", "20%", "0%", time=False), True, 0)
    assert found.test.tolist() == list(range(800, 1000))
    assert found.fit.tolist() == list(range(753))


def test_a_split_by_hash_overrules_order():
    declared = contract(train={"split": {"by": "hash", "test": "20%"}})
    rows = table(1000)
    assert (
        parts(rows, declared, True, 5).test.tolist()
        == parts(rows, declared, False, 5).test.tolist()
    )


def test_conformed_text_and_typed_tables_fall_into_the_same_parts():
    declared = contract({"x": {"type": "float"}, "c": {"type": "category"}})
    text = pa.table({"x": ["1.50", "2", "3e0"], "c": ["a", "b", "c"], "y": ["0", "1", "0"]})
    made = pa.table({"x": [1.5, 2.0, 3.0], "c": ["a", "b", "c"], "y": [0, 1, 0]})
    first, second = (
        parts(conform(rows, declared).table, declared, False, 1) for rows in (text, made)
    )
    assert first.fit.tolist() == second.fit.tolist()
