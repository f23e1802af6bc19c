"""The function that engines run: it travels as a reference, and answers with the bundle that it was made of."""

import pickle

import pyarrow as pa
import pytest
from tests.batch.bundles import model_of, people, write

from setpoint.batch.mapper import mapper
from setpoint.errors import BundleError, DataError
from setpoint.gateway.models.versions import read_manifest

ROWS = pa.table(
    {
        "id": [1, 2, 3, 4],
        "tenure": [3, 900, 5, 6],
        "charges": [70.5, 20.0, None, 11.0],
        "paperless": [True, False, None, True],
        "plan": ["m", "y", "weekly", "y"],
        "region": ["north", None, "south", "atlantis"],
    }
)


@pytest.fixture(scope="module")
def made():
    return model_of()


@pytest.fixture
def bundle(made, tmp_path):
    write(tmp_path / "bundle", made, "onnx")
    return tmp_path / "bundle"


def travelled(answer):
    return pickle.loads(pickle.dumps(answer))  # noqa: S301 (its own)


def answered(answer, table, rows=2):
    return pa.Table.from_batches(answer(table.to_batches(max_chunksize=rows)))


def test_rows_keep_their_place_and_refused_ones_say_why(bundle):
    found = answered(mapper(bundle), ROWS)
    assert found.select(ROWS.column_names).equals(ROWS)
    assert [one is None for one in found["prediction"].to_pylist()] == [False, True, True, False]
    assert found["error"].to_pylist() == [
        None,
        "tenure: 900 is above the maximum 500",
        "plan: text 'weekly' is not one of 'm', 'y'",
        None,
    ]
    assert found.schema.types[-3:] == mapper(bundle).answers.types


def test_batches_change_nothing(bundle):
    frame = people(300, seed=1)
    table = pa.Table.from_pandas(frame, preserve_index=False)
    answer = mapper(bundle)
    assert answered(answer, table, 7).equals(answered(answer, table, 300))


def test_it_travels_as_a_reference(bundle):
    answer = mapper(bundle)
    assert len(pickle.dumps(answer)) < 1_000
    arrived = travelled(answer)
    assert answered(arrived, ROWS).equals(answered(answer, ROWS))
    assert arrived.load() is answer.load()  # once in a process


def test_a_bundle_that_was_put_in_place_of_another_is_not_loaded(made, bundle, tmp_path):
    answer = travelled(mapper(bundle))
    model = bundle / "request.json"
    model.write_bytes(model.read_bytes() + b" ")
    answer._bundle = str(tmp_path / "elsewhere")  # as another machine would see it
    bundle.rename(tmp_path / "elsewhere")
    with pytest.raises(BundleError, match=r"request\.json"):
        next(answer(iter(ROWS.to_batches())))


def test_a_pickle_is_loaded_only_where_that_is_said(made, tmp_path):
    write(tmp_path / "bundle", made, "native")
    assert read_manifest(tmp_path / "bundle").runtime == "native"
    with pytest.raises(BundleError, match="native=True"):
        mapper(tmp_path / "bundle")
    found = answered(mapper(tmp_path / "bundle", native=True), ROWS)
    assert found["error"].null_count == 2


@pytest.mark.parametrize(
    ("table", "hint"),
    [
        (ROWS.drop_columns(["region"]), "lacks the inputs region"),
        (ROWS.append_column("error", ROWS["region"]), "have the columns error"),
    ],
)
def test_rows_that_do_not_fit_are_an_error(bundle, table, hint):
    with pytest.raises(DataError, match=hint):
        answered(mapper(bundle), table)


def test_no_batches_are_no_answers(bundle):
    assert list(mapper(bundle)(iter(()))) == []
    empty = ROWS.slice(0, 0).to_batches()
    assert sum(batch.num_rows for batch in mapper(bundle)(empty)) == 0
