"""Real processes: what a training function does to its process must never reach the caller's."""

import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path

import numpy as np
import psutil
import pyarrow as pa
import pytest

from setpoint.adapters.arrow_tables import ArrowTables
from setpoint.adapters.bundle_scorer import BundleScorer
from setpoint.adapters.bundle_store import BundleStore
from setpoint.adapters.process_jobs import ProcessJobs
from setpoint.errors import BundleError, DataError, TrainingError
from setpoint.facts.training import Feature, Recipe, TrainingJob
from setpoint.training.evidence_file import read_evidence

MODULE = """
import os, signal, sys, time
import numpy as np

class Half:
    def predict(self, X):
        return np.full(len(X), "No", dtype=object)
    def predict_proba(self, X):
        return np.tile([0.5, 0.5], (len(X), 1))

def good(X, y, params, seed):
    print("good says", sorted(params), seed, len(X))
    return Half()

def raises(X, y, params, seed):
    raise RuntimeError("the data is cursed")

def hangs(X, y, params, seed):
    time.sleep(600)

def hangs_with_children(X, y, params, seed):
    import subprocess
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    print("child", child.pid, flush=True)
    time.sleep(600)

def exits(X, y, params, seed):
    sys.exit(3)

def exits_hard(X, y, params, seed):
    os._exit(0)

def crashes(X, y, params, seed):
    os.kill(os.getpid(), signal.SIGSEGV)

def killed(X, y, params, seed):
    os.kill(os.getpid(), signal.SIGKILL)

def eats(X, y, params, seed):
    kept = []
    while True:
        kept.append(np.ones(4_000_000))

def eats_bytes(X, y, params, seed):
    return bytearray(3_000_000_000)

def nothing(X, y, params, seed):
    return None

def text(X, y, params, seed):
    return "a model"

class Liar(Half):
    def predict_proba(self, X):
        return np.full((len(X), 2), np.nan)

def lies(X, y, params, seed):
    return Liar()

class Slow(Half):
    def predict_proba(self, X):
        time.sleep(600)

def slow_to_answer(X, y, params, seed):
    return Slow()

def unpicklable(X, y, params, seed):
    model = Half()
    model.hook = lambda: None
    return model

def talks(X, y, params, seed):
    os.write(1, b"from C\\n")
    print("x" * 50_000)
    print("last words", file=sys.stderr)
    raise ValueError("after talking")
"""


def a_table(rows=200):
    chance = np.random.default_rng(0)
    number = chance.normal(size=rows)
    return pa.table(
        {
            "number": number,
            "plan": pa.array(np.array(["a", "b", "c"])[chance.integers(0, 3, rows)].tolist()),
            "target": pa.array(np.where(number > 0, "Yes", "No").tolist()),
        }
    )


class Bench:
    """A store with one table, a project with the module above, and jobs in it."""

    def __init__(self, folder: Path) -> None:
        self.store = folder / ".setpoint"
        (folder / "src").mkdir(parents=True)
        (folder / "src" / "strange_models.py").write_text(MODULE)
        self.tables = ArrowTables(self.store)
        self.table = a_table()
        self.digest = self.tables.put(self.table)
        self.rows = self.tables.put_rows(
            {
                "fit": np.arange(150),
                "validation": np.arange(0),
                "test": np.arange(150, 200),
                "champion_unseen": np.ones(50, bool),
            }
        )
        self.jobs = ProcessJobs(self.store, self.tables, folder, 2)
        self.count = 0

    def job(self, function="", **changes) -> TrainingJob:
        self.count += 1
        recipe = {
            "estimator": f"strange_models:{function}" if function else "auto",
            "params": {} if function else {"max_iter": 5},
            "task": "binary",
            "target": "target",
            "positive": "Yes",
            "features": (
                Feature(name="number", kind="float"),
                Feature(name="plan", kind="category"),
            ),
            "threshold": 0.5,
            "seed": 5,
            "time_limit_s": 60.0,
            "memory_limit": 500_000_000,
        }
        recipe |= {name: changes.pop(name) for name in list(changes) if name in recipe}
        given = {
            "key": f"key{self.count}",
            "model": "m",
            "contract": "c",
            "table": self.digest,
            "rows": self.rows,
            "convert": False,
        }
        return TrainingJob(recipe=Recipe(**recipe), **(given | changes))

    def left(self) -> list[str]:
        return sorted(path.name for path in (self.store / "jobs").glob(".running*"))


@pytest.fixture(scope="module")
def bench(tmp_path_factory):
    made = Bench(tmp_path_factory.mktemp("project"))
    with made.jobs:
        made.jobs.warm()
        yield made


def test_a_job_is_done_once_and_found_again(bench):
    job = bench.job()
    assert bench.jobs.finished(job.key) is None
    result = bench.jobs.train(job)
    assert result.metrics["accuracy"] > 0.9
    folder = bench.jobs.folder(job.key)
    before = (folder / "result.json").stat().st_mtime_ns
    assert bench.jobs.train(job) == result == bench.jobs.finished(job.key)
    assert (folder / "result.json").stat().st_mtime_ns == before
    assert read_evidence(folder / "evidence.npz").rows == 50
    assert bench.left() == []


def test_a_function_of_the_project_trains_and_its_print_is_kept(bench, capfd):
    result = bench.jobs.train(bench.job("good", params={"b": 1, "a": 2}))
    assert "good says ['a', 'b'] 5 150" in result.output
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("function", "kind", "words"),
    [
        ("raises", "raised", "the data is cursed"),
        ("exits", "exited", "3"),
        ("exits_hard", "exited", "exit code 0"),
        ("crashes", "killed", "SIGSEGV"),
        ("killed", "killed", "SIGKILL"),
        ("eats", "memory", "500 MB"),
        ("eats_bytes", "memory", "train.limits.memory"),
        ("nothing", "nonsense", "NoneType"),
        ("text", "nonsense", "str"),
        ("lies", "nonsense", "not finite"),
        ("unpicklable", "nonsense", "cannot be pickled"),
        ("absent", "raised", "no function 'absent'"),
    ],
)
def test_a_bad_function_gives_the_right_kind(function, kind, words, bench, capfd):
    job = bench.job(function)
    with pytest.raises(TrainingError) as caught:
        bench.jobs.train(job)
    assert (caught.value.kind, bench.jobs.finished(job.key)) == (kind, None)
    assert words in caught.value.reason
    assert not bench.jobs.folder(job.key).exists()
    assert bench.left() == []
    assert capfd.readouterr() == ("", "")


def test_a_traceback_and_the_last_words_travel_with_the_error(bench):
    with pytest.raises(TrainingError) as caught:
        bench.jobs.train(bench.job("talks"))
    assert "last words" in caught.value.output
    assert 'raise ValueError("after talking")' in caught.value.output
    assert len(caught.value.output) <= 10_000


def test_a_hanging_fit_is_killed_in_time_with_its_children(bench):
    began = time.monotonic()
    with pytest.raises(TrainingError) as caught:
        bench.jobs.train(bench.job("hangs_with_children", time_limit_s=1.5))
    assert caught.value.kind == "timeout"
    assert "the fit took longer than 1.5 s" in caught.value.reason
    assert time.monotonic() - began < 10
    child = int(caught.value.output.split("child ")[1].split()[0])
    assert _ends(child)


def test_answers_that_never_come_are_killed_too(bench, monkeypatch):
    monkeypatch.setattr("setpoint.adapters.process_jobs._MEASURING_S", 0.5)
    with pytest.raises(TrainingError) as caught:
        bench.jobs.train(bench.job("slow_to_answer", time_limit_s=1.0))
    assert (caught.value.kind, "measuring" in caught.value.reason) == ("timeout", True)


def test_after_every_disaster_the_next_job_is_done(bench):
    assert bench.jobs.train(bench.job()).metrics["accuracy"] > 0.9


def test_changed_code_of_the_project_is_read_afresh(bench):
    source = bench.store.parent / "src" / "changing.py"
    text = "from strange_models import Half\ndef fit(X, y, params, seed):\n    print({!r})\n    return Half()\n"
    for word in ("first", "second!"):
        source.write_text(text.format(word))
        result = bench.jobs.train(bench.job(estimator="changing:fit", params={}))
        assert word in result.output


def test_large_jobs_take_threads_after_the_fork(bench, tmp_path):
    chance = np.random.default_rng(0)
    block = chance.normal(size=(220_000, 10)).astype(np.float32)
    names = [f"c{at}" for at in range(10)]
    table = pa.table(dict(zip(names, block.T, strict=True)))
    table = table.append_column("target", pa.array(block[:, 0] * 2))
    rows = bench.tables.put_rows({"fit": np.arange(210_000), "test": np.arange(210_000, 220_000)})
    job = bench.job(
        task="regression",
        positive="",
        features=tuple(Feature(name=name, kind="float") for name in names),
        params={"max_iter": 2, "early_stopping": False},
        table=bench.tables.put(table),
        rows=rows,
    )
    assert bench.jobs.train(job).metrics["r2"] > 0.1


def test_the_champion_is_measured_from_its_bundle(bench):
    first = bench.jobs.train(bench.job())
    second = bench.job(champion=first.artifact, seed=6)
    bench.jobs.train(second)
    evidence = read_evidence(bench.jobs.folder(second.key) / "evidence.npz")
    assert evidence.champion is not None
    scored = BundleScorer(bench.store).score(first.artifact, bench.table.slice(150))
    np.testing.assert_array_equal(evidence.champion.probability, scored.probability)


def test_a_champion_of_the_projects_code_is_loaded_where_it_can_be(bench, monkeypatch):
    first = bench.jobs.train(bench.job("good"))
    second = bench.job(champion=first.artifact)
    bench.jobs.train(second)
    evidence = read_evidence(bench.jobs.folder(second.key) / "evidence.npz")
    assert evidence.champion is not None
    assert np.all(evidence.champion.probability == 0.5)


def test_an_absent_champion_or_table_is_named(bench):
    with pytest.raises(BundleError, match="no bundle feed"):
        bench.jobs.train(bench.job(champion="feed"))
    with pytest.raises(DataError, match="no stored table feed"):
        bench.jobs.train(bench.job(table="feed"))


def test_bad_rows_come_back_as_an_error_with_a_reason(bench):
    with pytest.raises(TrainingError, match="has no target 'churned'"):
        bench.jobs.train(bench.job(target="churned"))


def test_two_threads_may_ask_at_once(bench):
    jobs = [bench.job(seed=at) for at in range(4)]
    found = {}
    threads = [
        threading.Thread(target=lambda job=job: found.update({job.key: bench.jobs.train(job)}))
        for job in jobs
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == sorted(job.key for job in jobs)


def test_a_killed_fork_server_is_noticed_and_replaced(bench):
    bench.jobs.train(bench.job())
    server = bench.jobs._client._server.pid
    killer = threading.Timer(1.0, os.kill, (server, signal.SIGKILL))
    killer.start()
    with pytest.raises(TrainingError) as caught:
        bench.jobs.train(bench.job("hangs"))
    assert caught.value.kind == "killed"
    assert bench.left() == []
    assert bench.jobs.train(bench.job()).metrics["accuracy"] > 0.9


def test_behaviour_is_equal_in_fresh_processes_with_other_hash_seeds(tmp_path):
    script = textwrap.dedent(
        f"""
        import sys
        from pathlib import Path
        sys.path.insert(0, {str(Path(__file__).parent)!r})
        from test_process_jobs import Bench
        bench = Bench(Path(sys.argv[1]))
        with bench.jobs:
            result = bench.jobs.train(bench.job(convert=True))
            print(result.behaviour, result.artifact, result.runtime)
        """
    )
    found = set()
    for seed in ("1", "2"):
        done = subprocess.run(
            [sys.executable, "-c", script, str(tmp_path / seed)],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        )
        assert done.stderr == ""
        found.add(done.stdout)
    assert len(found) == 1
    assert "onnx" in found.pop()


CALLER = """
import sys
from pathlib import Path
sys.path.insert(0, {tests!r})
from test_process_jobs import Bench
bench = Bench(Path(sys.argv[1]))
bench.jobs.warm()
print(bench.jobs._client._server.pid, flush=True)
bench.jobs.train(bench.job("hangs"))
"""


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_a_caller_that_dies_takes_everything_with_it(how, tmp_path):
    project = tmp_path / "project"
    caller = subprocess.Popen(
        [sys.executable, "-c", CALLER.format(tests=str(Path(__file__).parent)), str(project)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    with caller:
        assert caller.stdout is not None
        server = psutil.Process(int(caller.stdout.readline()))
        child = _first_child(server)
        caller.send_signal(how)
        caller.wait(20)
    assert _ends(server.pid)
    assert _ends(child)
    jobs = project / ".setpoint" / "jobs"
    assert not (jobs / "key1").exists()
    if how == signal.SIGKILL:
        assert list(jobs.glob(".running*"))  # nobody was left to clean up
    tables = ArrowTables(project / ".setpoint")
    with ProcessJobs(project / ".setpoint", tables, project, 1) as again:
        fresh = Bench.__new__(Bench)
        fresh.count, fresh.digest = 1, tables.put(a_table())
        fresh.rows = str(next((project / ".setpoint" / "rows").iterdir()))
        again.train(fresh.job())
    assert not list(jobs.glob(".running*"))


def test_bundle_that_a_death_left_unnoted_is_found_when_the_job_is_asked_for_again(bench):
    job = bench.job()
    artifact = bench.jobs.train(job).artifact
    noted = bench.jobs.folder("artifacts") / artifact
    noted.unlink()
    assert bench.jobs.train(job).artifact == artifact
    assert noted.is_file()


def test_half_a_folder_is_no_result(bench):
    job = bench.job()
    bench.jobs.folder(job.key).mkdir()
    (bench.jobs.folder(job.key) / "result.json").write_bytes(b'{"key": "ke')
    assert bench.jobs.finished(job.key) is None
    assert bench.jobs.train(job).key == job.key


def test_a_script_without_a_main_guard_can_train(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(
        "import sys\nfrom pathlib import Path\n"
        f"sys.path.insert(0, {str(Path(__file__).parent)!r})\n"
        "from test_process_jobs import Bench\n"
        "bench = Bench(Path(sys.argv[1]))\n"
        "print(bench.jobs.train(bench.job()).runtime)\nbench.jobs.close()\n"
    )
    done = subprocess.run(
        [sys.executable, str(script), str(tmp_path / "p")],
        capture_output=True,
        text=True,
        check=True,
    )
    assert (done.stdout, done.stderr) == ("native\n", "")


def test_a_bundle_is_kept_with_its_profile_and_found_by_digest(bench):
    from setpoint.facts.profile import Profile

    job = bench.job(seed=4242)
    result = bench.jobs.train(job)
    bundle = bench.jobs.folder(job.key) / "bundle"
    store = BundleStore(bench.store)
    assert store.find(result.artifact) == bundle
    assert store.keep(bundle) == result.artifact == store.keep(bundle)
    assert store.find(result.artifact) == bench.store / "bundles" / result.artifact
    profiled = store.keep(bundle, Profile(rows=150, columns=()))
    assert profiled != result.artifact
    assert (store.find(profiled) / "profile.json").is_file()
    assert not (bundle / "profile.json").exists()
    assert len(list((bench.store / "bundles").iterdir())) == 2


def test_an_altered_bundle_is_not_scored(bench):
    job = bench.job()
    result = bench.jobs.train(job)
    released = BundleStore(bench.store)
    released.keep(bench.jobs.folder(job.key) / "bundle")
    model = released.find(result.artifact) / "model.pkl"
    model.write_bytes(model.read_bytes()[:-1] + b"!")
    with pytest.raises(BundleError, match=r"model\.pkl was altered"):
        BundleScorer(bench.store).score(result.artifact, bench.table)


def _first_child(server: psutil.Process) -> int:
    for _ in range(600):
        if children := server.children():
            time.sleep(0.3)
            return children[0].pid
        time.sleep(0.05)
    pytest.fail("the job never started")


def _ends(pid: int) -> bool:
    for _ in range(200):
        if not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
            return True
        time.sleep(0.05)
    return False
