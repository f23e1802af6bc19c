import gzip
import json
import random
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet
import pytest
import typer
from typer.testing import CliRunner

from setpoint.cli.init import init
from setpoint.cli.validate import validate
from setpoint.wiring.contract_file import read_contract
from setpoint.wiring.validation import validate_source

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data"

APP = typer.Typer(rich_markup_mode=None)
APP.command()(init)
APP.command()(validate)


def run(*args: object):
    return CliRunner().invoke(APP, ["init", *map(str, args)])


def csv(rows: int = 300) -> str:
    chance = random.Random(0)
    lines = ["id,age,plan,churned"]
    lines.extend(
        f"c{i},{chance.randint(18, 90)},{chance.choice('ab')},{chance.choice(['Yes', 'No', 'No'])}"
        for i in range(rows)
    )
    return "\n".join(lines) + "\n"


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "churn.csv"
    path.write_text(csv())
    return path


def test_a_project_is_written_whole(tmp_path, table):
    made = run(tmp_path / "shop", "--from", table, "--target", "churned")
    assert made.exit_code == 0, made.output
    names = {
        str(path.relative_to(tmp_path / "shop"))
        for path in (tmp_path / "shop").rglob("*")
        if path.is_file()
    }
    assert names == {
        "model_contract.yaml",
        "model_contract.schema.json",
        "README.md",
        ".gitignore",
        "data/churn.csv",
        "configs/dev.yaml",
        "configs/staging.yaml",
        "configs/prod.yaml",
        "src/README.md",
        "tests/test_contract.py",
    }
    text = (tmp_path / "shop" / "model_contract.yaml").read_text()
    assert text.startswith("# yaml-language-server: $schema=./model_contract.schema.json\n")
    assert (tmp_path / "shop" / "data" / "churn.csv").read_bytes() == table.read_bytes()
    json.loads((tmp_path / "shop" / "model_contract.schema.json").read_text())


def test_the_project_keeps_its_own_contract_in_every_environment(tmp_path, table):
    run(tmp_path / "shop", "--from", table, "--target", "churned")
    contract = tmp_path / "shop" / "model_contract.yaml"
    for env in ("", "dev", "staging", "prod"):
        assert read_contract(contract, env=env).data.positive == "Yes"
        assert validate_source(contract, env=env).blocking == ()


def test_the_projects_own_tests_pass_with_plain_pytest_and_fail_when_the_data_breaks(
    tmp_path, table
):
    run(tmp_path / "shop", "--from", table, "--target", "churned")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    passed = subprocess.run(
        command, cwd=tmp_path / "shop", capture_output=True, text=True, check=False
    )
    assert passed.returncode == 0, passed.stdout
    data = tmp_path / "shop" / "data" / "churn.csv"
    data.write_text(data.read_text().replace(",a,", ",zzz,"))
    broken = subprocess.run(
        command, cwd=tmp_path / "shop", capture_output=True, text=True, check=False
    )
    assert broken.returncode == 1
    assert "values plan" in broken.stdout


def test_what_was_found_and_decided_is_printed(tmp_path, table):
    shown = run(tmp_path / "shop", "--from", table, "--target", "churned").output
    assert "300 rows, 4 columns" in shown
    assert "of the rows are 'Yes'" in shown
    assert "key id" in shown


def test_json_has_the_contract_and_the_reasons(tmp_path, table):
    found = json.loads(
        run(tmp_path / "shop", "--from", table, "--target", "churned", "--json").stdout
    )
    assert found["contract"]["model"] == {"name": "shop", "task": "binary"}
    assert found["digest"] == read_contract(tmp_path / "shop" / "model_contract.yaml").digest
    assert found["blocking"] == []


def test_nothing_is_written_over_without_force(tmp_path, table):
    run(tmp_path / "shop", "--from", table, "--target", "churned")
    mine = tmp_path / "shop" / "model_contract.yaml"
    mine.write_text("mine")
    again = run(tmp_path / "shop", "--from", table, "--target", "churned")
    assert again.exit_code == 2
    assert "--force" in again.output
    assert mine.read_text() == "mine"
    assert run(tmp_path / "shop", "--from", table, "--target", "churned", "--force").exit_code == 0
    assert mine.read_text() != "mine"


def test_a_table_that_lies_in_the_project_already_stays(tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "churn.csv").write_text(csv())
    made = run(
        tmp_path, "--from", tmp_path / "data" / "churn.csv", "--target", "churned", "--name", "shop"
    )
    assert made.exit_code == 0, made.output
    assert (tmp_path / "data" / "churn.csv").read_text() == csv()


def test_the_first_rows_alone(tmp_path, table):
    made = run(tmp_path / "shop", "--from", table, "--target", "churned", "--rows", 50)
    assert made.exit_code == 0, made.output
    assert len((tmp_path / "shop" / "data" / "churn.csv").read_text().splitlines()) == 51


def test_a_folder_of_odd_name_gives_a_name_that_a_contract_takes(tmp_path, table):
    run(tmp_path / "mein Projekt ü!", "--from", table, "--target", "churned")
    assert (
        read_contract(tmp_path / "mein Projekt ü!" / "model_contract.yaml").model.name
        == "mein_Projekt"
    )


def test_an_index_of_row_names_and_dates(tmp_path):
    lines = ['"date","x","y"'] + [
        f'"{i}","2024-01-{1 + i // 20:02} 0{i % 8}:00:00",{i % 13},{i % 2}' for i in range(1, 400)
    ]
    (tmp_path / "t.txt").write_text("\n".join(lines))
    made = run(tmp_path / "p", "--from", tmp_path / "t.txt", "--target", "y", "--time", "date")
    assert made.exit_code == 0, made.output
    assert (
        read_contract(tmp_path / "p" / "model_contract.yaml").data.left_out["row_name"]
        == "numbers the rows"
    )


def write_parquet(path: Path, columns: dict) -> None:
    pyarrow.parquet.write_table(pa.table(columns), path)


HEAD = "x,y\n"
BAD = {
    "empty file": ("t.csv", b"", "empty"),
    "header alone": ("t.csv", b"x,y\n", "no rows"),
    "one row": ("t.csv", b"x,y\n1,a\n", "in every row"),
    "all missing": ("t.csv", b"x,y\n" + b",\n" * 50, "empty in every row"),
    "no features": ("t.csv", b"y\n" + b"a\nb\n" * 50, "no column is left"),
    "missing target": ("t.csv", b"x,z\n1,2\n", "no target column 'y'"),
    "one class": ("t.csv", b"x,y\n" + b"1,a\n2,a\n" * 50, "'a' in every row"),
    "truncated archive": ("t.csv.gz", gzip.compress(csv().encode())[:-9], "cut off"),
    "binary": ("t.csv", bytes(range(256)) * 20, "neither text nor Parquet"),
    "ragged": ("t.csv", b"x,y\n1,a\n1,a,b\n", "row 3 has 3 cells"),
    "names twice": ("t.csv", b"x,x,y\n1,2,a\n", "'x' come more than once"),
    "garbage named parquet": ("t.parquet", b"\x00\x01garbage", "named .parquet but is none"),
    "truncated parquet": ("t.parquet", b"PAR1\x00\x00", "damaged or cut off"),
}


@pytest.mark.parametrize(("name", "data", "reason"), BAD.values(), ids=BAD.keys())
def test_bad_input_is_refused_with_a_reason_and_writes_nothing(tmp_path, name, data, reason):
    (tmp_path / name).write_bytes(data)
    made = run(tmp_path / "p", "--from", tmp_path / name, "--target", "y")
    assert made.exit_code == 2, made.output
    assert reason in made.output
    assert "Traceback" not in made.output
    assert not (tmp_path / "p").exists()


def test_what_cannot_be_asked_for(tmp_path, table):
    for args, reason in (
        (("--from", tmp_path / "nope.csv", "--target", "y"), "is not there"),
        (("--from", tmp_path, "--target", "y"), "is a folder"),
        (("--from", table, "--target", "churned", "--rows", "0"), "1 row or more"),
        (("--from", table, "--target", "churned", "--task", "ranking"), "one of binary"),
        (("--from", table, "--target", "churned", "--time", "age"), "seconds since 1970"),
        (("--from", table, "--target", "churned", "--key", "idd"), "did you mean 'id'"),
        (("--from", table, "--target", "plan", "--task", "regression"), "not a number"),
    ):
        made = run(tmp_path / "p", *args)
        assert (made.exit_code, reason in made.output) == (2, True), made.output


def test_an_error_is_json_too_where_json_is_asked_for(tmp_path):
    made = run(tmp_path / "p", "--from", tmp_path / "nope.csv", "--target", "y", "--json")
    assert json.loads(made.stdout)["kind"] == "UsageError"


COINS = random.Random(5).choices("ab", k=200)
ODD = {
    "nan and inf": {"x": [float("nan"), float("inf"), 1.0, 2.0] * 50, "y": COINS},
    "mixed types": {"x": ["1", "two", "3.0", ""] * 50, "y": COINS},
    "one column that tells all": {"x": [0, 1] * 100, "y": ["a", "b"] * 100},
    "unicode names": {
        "größe ²": list(range(7)) * 20,
        "日": ["甲", "乙"] * 70,
        "y": ["ja", "nein"] * 70,
    },
    "number with two values": {"x": list(range(5)) * 20, "y": [0.5, 2.5] * 50},
    "regression with missing": {
        "x": list(range(5)) * 20,
        "y": [None, *(float(i) for i in range(99))],
    },
}


@pytest.mark.parametrize("columns", ODD.values(), ids=ODD.keys())
def test_odd_tables_give_a_contract_that_they_keep(tmp_path, columns):
    write_parquet(tmp_path / "t.parquet", columns)
    made = run(tmp_path / "p", "--from", tmp_path / "t.parquet", "--target", "y")
    assert made.exit_code == 0, made.output
    blocking = validate_source(tmp_path / "p" / "model_contract.yaml").blocking
    # An infinite cell is never a number; the report names it, and a person decides.
    assert {check.name for check in blocking} <= (
        {"type"} if float("inf") in columns.get("x", ()) else set()
    )


REAL = [
    ("elec2/elec.csv.gz", "class", None, "binary"),
    ("telco_churn/Telco-Customer-Churn.csv", "Churn", None, "binary"),
    ("adult/adult.parquet", "class", None, "binary"),
    ("compas/compas-scores-two-years.csv", "two_year_recid", "compas_screening_date", "binary"),
    ("bank_marketing/bank-additional-full.csv.gz", "y", None, "binary"),
    ("bike_sharing/hour.csv", "cnt", "dteday", "regression"),
    ("seoul_bike/SeoulBikeData.csv", "Rented Bike Count", "Date", "regression"),
    ("beijing_pm25/PRSA_data_2010.1.1-2014.12.31.csv", "pm2.5", None, "regression"),
    ("appliances_energy/energydata_complete.csv.gz", "Appliances", "date", "regression"),
    ("chicago_taxi/data.csv", "tips", "trip_start_timestamp", "regression"),
    ("feast_credit_scoring/my_training_ds.parquet", "loan_status", "event_timestamp", "binary"),
    ("occupancy/datatraining.txt", "Occupancy", "date", "binary"),
    ("wine_quality/wine-quality.csv", "quality", None, "regression"),
    ("german_credit/german.csv", "credit", None, "binary"),
    ("noaa_weather/weather.csv", "target", None, "binary"),
    ("california_nannyml/california_housing_reference.csv", "clf_target", "timestamp", "binary"),
]
LEFT_OUT = {
    "compas/compas-scores-two-years.csv": {
        "is_recid",
        "r_charge_degree",
        "r_days_from_arrest",
        "r_offense_date",
        "r_charge_desc",
        "r_jail_in",
        "r_jail_out",
        "violent_recid",
        "is_violent_recid",
        "vr_charge_degree",
        "vr_offense_date",
        "vr_charge_desc",
        "end",
        "event",
        "decile_score.1",
        "priors_count.1",
    },
    "bike_sharing/hour.csv": {"instant", "casual", "registered"},
    "beijing_pm25/PRSA_data_2010.1.1-2014.12.31.csv": {"No"},
    "appliances_energy/energydata_complete.csv.gz": {"rv2"},
    "chicago_taxi/data.csv": {"pickup_census_tract"},
    "occupancy/datatraining.txt": {"row_name"},
    "california_nannyml/california_housing_reference.csv": {"y_pred", "y_pred_proba"},
    "feast_credit_scoring/my_training_ds.parquet": {
        "created_timestamp",
        "__index_level_0__",
        "dob_ssn",
        "location_type",
    },
    "elec2/elec.csv.gz": set(),
    "telco_churn/Telco-Customer-Churn.csv": set(),
}


@pytest.mark.parametrize(
    ("name", "target", "time", "task"), REAL, ids=[case[0].split("/")[0] for case in REAL]
)
def test_real_tables_give_a_contract_that_they_keep(tmp_path, name, target, time, task):
    if not SHARED.is_dir():
        pytest.skip(f"the real tables are not here: {SHARED}")
    when = ("--time", time) if time else ()
    made = run(tmp_path / "p", "--from", SHARED / name, "--target", target, *when, "--json")
    assert made.exit_code == 0, made.output
    found = json.loads(made.stdout)
    assert found["contract"]["model"]["task"] == task
    assert found["blocking"] == []
    left_out = set(found["left_out"])
    expected = LEFT_OUT.get(name)
    if expected == set():
        assert left_out == set()
    elif expected is not None:
        assert expected <= left_out
