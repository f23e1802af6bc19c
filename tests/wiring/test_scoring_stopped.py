"""Scoring that is killed goes on: the same file to the byte, and no answer twice in the log; memory does not grow."""

import contextlib
import gzip
import io
import os
import random
import signal
import subprocess
import sys
import time

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
import pytest
from tests.batch.bundles import model_of, people, write
from tests.batch.released import release

from setpoint.adapters.part_folder import PartFolder
from setpoint.errors import DataError, UsageError
from setpoint.wiring.log_place import open_log, place_of
from setpoint.wiring.offline import open_offline
from setpoint.wiring.scoring import ScoreWish, score_file

ROWS = 6_000


@pytest.fixture(scope="module")
def bundles(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bundles")
    logistic = "sklearn.linear_model.LogisticRegression"
    for number, strength in ((1, 1.0), (2, 0.01)):
        write(folder / str(number), model_of(logistic, C=strength), "onnx", key="id")
    return {1: folder / "1", 2: folder / "2"}


@pytest.fixture
def project(tmp_path, monkeypatch, bundles):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SETPOINT_STORE", str(tmp_path / ".setpoint"))
    release(tmp_path, bundles, {"1": 0.7, "2": 0.3}, log="durable")
    table = rows_of(ROWS)
    pa.parquet.write_table(table, "in.parquet", row_group_size=700)
    pa.csv.write_csv(table, "in.csv")
    return tmp_path


def rows_of(count):
    frame = people(count, seed=2)
    frame["tenure"] = np.where(np.arange(count) % 97 == 5, 900, frame["tenure"]).astype(int)
    frame.insert(0, "id", [f"c{number}" for number in range(count)])
    return pa.Table.from_pandas(frame, preserve_index=False)


def wish_of(project, source, out, **more):
    return ScoreWish(source, project / out, **{"part": 500, **more})


def offline_of(project):
    return open_offline(project / "model_contract.yaml")


PROGRAM = """
import os, sys
from pathlib import Path
from setpoint.wiring.offline import open_offline
from setpoint.wiring.scoring import ScoreWish, score_file

class Clock:
    wall = staticmethod(lambda: 1_700_000_000.0)
    stopwatch = staticmethod(lambda: 0.0)

for line in sys.stdin:
    source, out, log = line.split()
    child = os.fork()
    if not child:
        wish = ScoreWish(source, Path(out).absolute(), part=100, threads=1, log=log == "log",
                         clock=Clock(), entropy=bytes)
        try:
            score_file(wish, open_offline(Path("model_contract.yaml")))
            os._exit(0)
        finally:
            os._exit(1)
    print(child, flush=True)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""


class Scorings:
    """Scorings as processes of their own: forked, so that none has to import anything."""

    def __init__(self):
        self.process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def run(self, source, out, *, log=True, kill_when=None):
        """Run one, kill it when a condition holds, and return its exit code."""
        self.process.stdin.write(f"{source} {out} {'log' if log else 'off'}\n")
        self.process.stdin.flush()
        child = int(self.process.stdout.readline())
        if kill_when is not None:
            deadline = time.perf_counter() + 60
            while not kill_when() and time.perf_counter() < deadline:
                time.sleep(0.0005)
            with contextlib.suppress(ProcessLookupError):  # it has ended
                os.kill(child, signal.SIGKILL)
        return int(self.process.stdout.readline())


@pytest.fixture
def scorings(project):
    found = Scorings()
    yield found
    found.process.stdin.close()
    found.process.wait(timeout=20)
    found.process.stdout.close()


@pytest.mark.parametrize(("source", "out"), [("in.csv", "out.parquet"), ("in.parquet", "out.csv")])
def test_kill_9_at_any_moment_changes_neither_file_nor_log(project, scorings, source, out):
    assert scorings.run(source, f"whole-{out}", log=False) == 0
    chance = random.Random(7)
    parts = PartFolder(project / out)
    stopped = [0]
    while stopped[-1] < ROWS // 100 - 8:
        target, delay = stopped[-1] + chance.randrange(8), chance.choice([0, 0.001, 0.004])

        def is_there(target=target, delay=delay):
            if (project / out).exists():
                return True
            if not (parts.folder / f"{target:06}.part").exists():
                return False
            time.sleep(delay)
            return True

        code = scorings.run(source, out, kill_when=is_there)
        if (project / out).exists():  # a slow machine: it was whole before it was killed
            require_whole(project, out)
            break
        assert code == -signal.SIGKILL
        stopped.append(len(parts.notes()))
    assert len(stopped) > 2
    code = scorings.run(source, out) if parts.folder.exists() else 0
    assert code == 0
    require_whole(project, out)
    assert not [path for path in project.iterdir() if "parts" in path.name]
    require_logged_once(project, out)


def test_a_part_that_was_logged_and_not_written_is_not_logged_twice(project, monkeypatch):
    write_part = PartFolder.add

    def fail(self, number, table, note):
        if number == 3:
            raise ZeroDivisionError
        write_part(self, number, table, note)

    monkeypatch.setattr(PartFolder, "add", fail)
    with pytest.raises(ZeroDivisionError):
        score_file(wish_of(project, "in.csv", "out.csv"), offline_of(project))
    monkeypatch.undo()
    monkeypatch.chdir(project)
    monkeypatch.setenv("SETPOINT_STORE", str(project / ".setpoint"))
    log = open_log(place_of(offline_of(project).settings))
    assert log.span()[2] > 1_500
    log.close()
    assert score_file(wish_of(project, "in.csv", "out.csv"), offline_of(project)).resumed == 1_500
    require_logged_once(project, "out.csv")


def require_whole(project, out):
    assert (project / out).read_bytes() == (project / f"whole-{out}").read_bytes()


def require_logged_once(project, out):
    path = project / out
    found = pa.csv.read_csv(path) if path.suffix == ".csv" else pa.parquet.read_table(path)
    assert found.num_rows == ROWS
    answered = found.filter(pa.compute.is_valid(found["probability"]))
    log = open_log(place_of(offline_of(project).settings))
    window = log.window(0, 1e11).sort_by("id")
    log.close()
    assert window["id"].to_pylist() == answered["prediction_id"].to_pylist()
    assert window["prediction"].to_pylist() == answered["prediction"].to_pylist()
    assert window["version"].to_pylist() == answered["version"].to_pylist()


def stopped(project, **more):
    """Score until the third part is there, and leave."""

    class StoppedError(Exception):
        pass

    def leave(rows, _):
        if rows >= 1_500:
            raise StoppedError

    with pytest.raises(StoppedError):
        score_file(
            wish_of(project, "in.csv", "out.csv", progress=leave, **more), offline_of(project)
        )


def test_what_was_begun_is_gone_on_with_and_told(project):
    stopped(project)
    told = []
    found = score_file(
        wish_of(project, "in.csv", "out.csv", progress=lambda *one: told.append(one)),
        offline_of(project),
    )
    assert (found.rows, found.resumed, found.refused) == (ROWS, 1_500, 62)
    assert found.scored == found.logged == ROWS - 62
    assert told[0] == (1_500, 0.0)
    assert sum(found.versions.values()) == found.scored


@pytest.mark.parametrize(
    ("change", "hint"),
    [
        ("input", "in.csv was"),
        ("version", "the version that answers was 1 for 70"),
        ("part", "the rows of a part was 500, is 400"),
        ("log", "the log was on, is off"),
        ("format", "data.format of the contract was"),
    ],
)
def test_nothing_is_gone_on_with_after_a_change_but_anew(project, change, hint):
    stopped(project)
    more = {"version": {"version": 2}, "part": {"part": 400}, "log": {"log": False}}.get(change, {})
    if change == "input":
        with (project / "in.csv").open("a") as file:
            file.write("c9,1,2.5,1.0,m,north\n")
    if change == "format":
        contract = project / "model_contract.yaml"
        contract.write_text(
            contract.read_text().replace("key: id", "key: id, format: {nulls: [NA]}")
        )
    with pytest.raises(UsageError, match=f"{hint}.*--restart"):
        score_file(wish_of(project, "in.csv", "out.csv", **more), offline_of(project))
    found = score_file(
        wish_of(project, "in.csv", "out.csv", restart=True, **more), offline_of(project)
    )
    assert found.resumed == 0
    assert found.rows == ROWS + (change == "input")


def test_strict_stops_before_the_row_is_logged_and_without_it_the_rest_goes_on(project):
    with pytest.raises(
        DataError, match=r"row 6 gets no answer: tenure: 900 is above the maximum 500"
    ):
        score_file(wish_of(project, "in.csv", "out.csv", strict=True), offline_of(project))
    assert not PartFolder(project / "out.csv").folder.exists()
    stopped(project)
    with pytest.raises(DataError, match=r"row 1,558 gets no answer"):
        score_file(wish_of(project, "in.csv", "out.csv", strict=True), offline_of(project))
    assert score_file(wish_of(project, "in.csv", "out.csv"), offline_of(project)).resumed == 1_500


def test_answers_are_not_written_where_rows_are_read(project):
    (project / "rows").mkdir()
    (project / "in.csv").rename(project / "rows" / "1.csv")
    for source, out in (("rows", "rows/out.csv"), ("in.parquet", "in.parquet")):
        with pytest.raises(UsageError, match="would be read as rows"):
            score_file(wish_of(project, source, out), offline_of(project))
    assert score_file(wish_of(project, "rows/*.csv", "out.csv"), offline_of(project)).rows == ROWS


MEASURE = """
import resource, sys
from pathlib import Path
from setpoint.wiring.offline import open_offline
from setpoint.wiring.scoring import ScoreWish, score_file
found = score_file(ScoreWish(sys.argv[1], Path(sys.argv[2]).absolute(), part=1000, threads=1),
                   open_offline(Path("model_contract.yaml")))
print(found.rows, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
"""


@pytest.mark.parametrize("kind", ["csv.gz", "parquet"])
def test_memory_does_not_grow_with_the_rows(project, kind):
    table = rows_of(2_000)
    for number in range(10):
        text = f"{number} " + "x" * 1_000
        table = table.append_column(f"text {number}", pa.array([text] * table.num_rows))
    used = {}
    for times in (2, 30):  # 40 MB, and 600
        path = project / f"large-{times}.{kind}"
        if kind == "parquet":
            with pa.parquet.ParquetWriter(path, table.schema, use_dictionary=False) as writer:
                for _ in range(times):
                    writer.write_table(table)
        else:
            header, lines = (io.BytesIO(), io.BytesIO())
            pa.csv.write_csv(table.slice(0, 0), header)
            pa.csv.write_csv(table, lines, pa.csv.WriteOptions(include_header=False))
            packed = gzip.compress(lines.getvalue(), 1)
            path.write_bytes(gzip.compress(header.getvalue()) + packed * times)
        ran = subprocess.run(
            [sys.executable, "-c", MEASURE, path.name, "out.parquet"],
            capture_output=True,
            text=True,
            check=True,
            timeout=120,
        )
        rows, used[times] = map(int, ran.stdout.split())
        assert rows == 2_000 * times
    assert used[30] < used[2] + 120, used
