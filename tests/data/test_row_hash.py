import subprocess
import sys

import numpy as np
import pyarrow as pa
import pytest

from setpoint.data.row_hash import hash01, hash_rows, mix64

TABLE = pa.table({"a": [1, 2, None], "b": ["x", "é", None], "c": [0.5, -0.0, 1e300]})


def test_mix64_gives_the_published_splitmix64_sequence():
    golden = 0x9E3779B97F4A7C15
    states = np.array([(1234567 + golden * i) % 2**64 for i in range(5)], dtype=np.uint64)
    assert mix64(states).tolist() == [
        6457827717110365317,
        3203168211198807973,
        9817491932198370423,
        4593380528125082431,
        16408922859458223821,
    ]


def test_known_values_hold_for_every_version_to_come():
    found = hash01(TABLE, ["a", "b", "c"], seed=7)
    assert found == pytest.approx(KNOWN, abs=1e-15)


KNOWN = [0.9505189186456874, 0.5920641292262109, 0.7915011538520289]


def test_another_process_with_another_hash_seed_gives_the_same():
    code = (
        "import pyarrow as pa; from setpoint.data.row_hash import hash_rows;"
        "print(hash_rows(pa.table({'k': ['ada', 'bob'], 'n': [1, 2]}), ['k', 'n'], seed=3).tolist())"
    )
    here = hash_rows(pa.table({"k": ["ada", "bob"], "n": [1, 2]}), ["k", "n"], seed=3).tolist()
    for seed in ("0", "1"):
        env = {"PYTHONHASHSEED": seed}
        out = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, check=True)
        assert out.stdout.decode().strip() == str(here)


@pytest.mark.parametrize(
    "column",
    [
        pa.array([1, 2, None], pa.int8()),
        pa.array([1.0, 2.0, None], pa.float32()),
        pa.array([1.0, 2.0, float("nan")]),
        pa.chunked_array([[1], [2, None]], pa.int64()),
        pa.array([1, 2, None], pa.uint32()),
    ],
    ids=["int8", "float32", "nan", "chunks", "uint32"],
)
def test_equal_values_of_other_types_hash_alike(column):
    expected = hash_rows(pa.table({"a": [1, 2, None]}), ["a"], seed=0)
    assert (hash_rows(pa.table({"a": column}), ["a"], seed=0) == expected).all()


def test_a_dictionary_column_hashes_as_its_texts():
    plain = pa.table({"a": ["x", "y", None, "x"]})
    coded = pa.table({"a": pa.array(["x", "y", None, "x"]).dictionary_encode()})
    assert (hash_rows(plain, ["a"], seed=0) == hash_rows(coded, ["a"], seed=0)).all()


def test_order_of_columns_does_not_matter_but_names_do():
    swapped = pa.table({"b": TABLE["a"], "a": TABLE["b"], "c": TABLE["c"]})
    assert (
        hash_rows(TABLE, ["c", "a", "b"], seed=0) == hash_rows(TABLE, ["a", "b", "c"], seed=0)
    ).all()
    assert (hash_rows(TABLE, ["a", "b"], seed=0) != hash_rows(swapped, ["a", "b"], seed=0)).any()


def test_negative_zero_is_zero_and_missing_is_not_zero():
    words = hash_rows(pa.table({"a": [0.0, -0.0, None]}), ["a"], seed=0)
    assert words[0] == words[1] != words[2]


def test_neighbouring_integers_beyond_floats_differ():
    words = hash_rows(pa.table({"a": [2**60, 2**60 + 1]}), ["a"], seed=0)
    assert words[0] != words[1]


def test_shares_are_uniform_and_seeds_unrelated():
    table = pa.table({"a": np.arange(20_000)})
    first, second = (hash01(table, ["a"], seed=seed) for seed in (1, 2))
    assert first.min() >= 0
    assert first.max() < 1
    assert np.histogram(first, bins=10, range=(0, 1))[0] == pytest.approx(2000, abs=200)
    assert abs(np.corrcoef(first, second)[0, 1]) < 0.03
