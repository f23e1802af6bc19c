"""The function on real Spark: the same answers as `score`, through `mapInArrow`, in worker processes of its own.

Needs a Java runtime (Debian: default-jre-headless) and pyspark, in an environment of its own, since pandera imports
pyspark wherever it is: `make spark`, which `make test` asks for where there is Java.
"""

import shutil
import sys

import numpy as np
import pyarrow as pa
import pyarrow.parquet
import pytest
from tests.batch.bundles import model_of, people, write
from tests.batch.released import release

from setpoint.batch.mapper import mapper
from setpoint.errors import BundleError
from setpoint.wiring.offline import open_offline
from setpoint.wiring.scoring import ScoreWish, score_file

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore:PySpark does not yet fully support pandas:FutureWarning"),
    pytest.mark.skipif(shutil.which("java") is None, reason="there is no Java runtime"),
]
ROWS = 3_000


@pytest.fixture(scope="module")
def spark():
    sql = pytest.importorskip("pyspark.sql")
    settings = {
        "spark.ui.enabled": "false",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.host": "127.0.0.1",
        "spark.sql.shuffle.partitions": "2",
        "spark.sql.execution.arrow.maxRecordsPerBatch": "700",
        "spark.driver.memory": "512m",
    }
    builder = sql.SparkSession.builder.master("local[2]").appName("setpoint")
    for name, value in settings.items():
        builder = builder.config(name, value)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SPARK_LOCAL_IP", "127.0.0.1")
        patch.setenv("PYSPARK_PYTHON", sys.executable)
        session = builder.getOrCreate()
    session.sparkContext.setLogLevel("ERROR")
    yield session
    session.stop()


@pytest.fixture
def table():
    frame = people(ROWS, seed=3)
    frame["tenure"] = np.where(np.arange(ROWS) % 97 == 5, 900, frame["tenure"]).astype(int)
    frame["paperless"] = frame["paperless"].astype(bool)
    frame.insert(0, "id", [f"c{number}" for number in range(ROWS)])
    return pa.Table.from_pandas(frame, preserve_index=False)


@pytest.mark.parametrize(
    ("estimator", "task", "runtime"),
    [
        ("auto", "multiclass", "onnx"),
        ("sklearn.linear_model.LogisticRegression", "binary", "native"),
    ],
)
def test_spark_answers_as_score_does_to_the_bit(
    spark, table, estimator, task, runtime, tmp_path, monkeypatch
):
    write(tmp_path / "bundle", model_of(estimator, task), runtime)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SETPOINT_STORE", str(tmp_path / ".setpoint"))
    release(tmp_path, {1: tmp_path / "bundle"})
    pa.parquet.write_table(table, "rows.parquet", row_group_size=500)
    score_file(
        ScoreWish("rows.parquet", tmp_path / "out.parquet"),
        open_offline(tmp_path / "model_contract.yaml"),
    )
    expected = pa.parquet.read_table("out.parquet").drop_columns(["version", "prediction_id"])
    frame = spark.read.parquet(str(tmp_path / "rows.parquet")).repartition(3)
    answer = mapper(tmp_path / "bundle", native=runtime == "native")
    answers = frame.mapInArrow(answer, answer.schema_of(frame))
    assert [column.name for column in answers.schema][-3:] == answer.answers.names
    found = pa.Table.from_batches(answers.toArrow().to_batches())
    order = [("id", "ascending")]
    assert found.num_rows == ROWS
    assert found.sort_by(order).to_pylist() == expected.sort_by(order).to_pylist()
    assert 0 < ROWS - found["error"].null_count < 100


def test_a_worker_refuses_a_bundle_that_was_exchanged(spark, table, tmp_path):
    write(tmp_path / "bundle", model_of("sklearn.linear_model.LogisticRegression"), "onnx")
    answer = mapper(tmp_path / "bundle")
    frame = spark.createDataFrame(table.slice(0, 10).to_pandas().drop(columns=["region"]))
    with pytest.raises(Exception, match="lacks the inputs region"):
        answer.schema_of(frame)
    frame = spark.createDataFrame(table.slice(0, 10).to_pandas())
    answers = frame.mapInArrow(answer, answer.schema_of(frame))
    request = tmp_path / "bundle" / "request.json"
    request.write_bytes(request.read_bytes() + b"\n")
    with pytest.raises(Exception, match=f"{BundleError.__name__}.*request.json"):
        answers.count()
