"""`setpoint log prune` and `setpoint log forget`: what goes, what the loop keeps, what the ledger is told."""

import json

import msgspec
import pytest
from tests.adapters.log.test_compaction import DAY, HOUR, fill, prediction
from typer.testing import CliRunner

from setpoint.adapters.log.shadow_file import shadow_file
from setpoint.adapters.log.sqlite_log import SqliteLog
from setpoint.cli import app
from setpoint.clock import ManualClock
from setpoint.contract.parse import parse
from setpoint.control.keeping import narrowed, needs
from setpoint.errors import UsageError
from setpoint.facts.log_rule import change_of
from setpoint.facts.release import Release, Watch
from setpoint.facts.state import LoopState
from setpoint.ledger.verify import verify
from setpoint.wiring.log_place import place_of, secret_of
from setpoint.wiring.log_removal import PruneWish, Retention, forget_keys, prune_log
from setpoint.wiring.offline import open_offline

NOW = DAY + 100 * HOUR
TIMED = """
model: {name: churn, task: binary}
data: {source: t.csv, target: y, key: customer, time: t}
monitor: {window: 1h, performance: {label_delay: 1h}}
"""
UNTIMED = """
model: {name: churn, task: binary}
data: {source: t.csv, target: y, key: customer}
monitor: {window: 100 rows, performance: {label_delay: 50 rows}}
"""


@pytest.fixture
def project(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "model_contract.yaml").write_text(TIMED)
    with SqliteLog(tmp_path / ".setpoint" / "log.db") as log:
        fill(log)
        log.compact(DAY + 3 * HOUR + 400)
    return tmp_path


def opened(project, contract=TIMED, **state):
    """Return the project, its state as given."""
    (project / "model_contract.yaml").write_text(contract)
    offline = open_offline(project / "model_contract.yaml")
    known, revision = offline.journal.load()
    known = known or LoopState(model="churn")
    offline.journal.commit(revision, msgspec.structs.replace(known, **state), [])
    return offline


def rows(project):
    with SqliteLog(project / ".setpoint" / "log.db") as log:
        return log.window(0.0, 1e12)["id"].to_pylist()


def wish(hours, *, dry=False):
    """Keep what is younger than an hour of the log's day."""
    return PruneWish(NOW - (DAY + hours * HOUR), dry_run=dry, clock=ManualClock(NOW))


def test_old_answers_go_and_the_ledger_is_told(project):
    offline = opened(project, now=7.0)
    dry = prune_log(wish(2, dry=True), offline)
    assert (dry.answers, dry.outcomes, dry.dry_run) == (120, None, True)
    assert len(rows(project)) == 300
    done = prune_log(wish(2), offline)
    assert (done.answers, done.outcomes, done.files, done.held) == (120, 40, 2, ())
    assert done.size > 0
    assert len(rows(project)) == 180
    (entry,) = offline.journal.entries()
    assert (entry.event.kind, entry.event.at) == ("log_pruned", 7.0)
    assert entry.event.body["numbers"]["answers"] == 120
    assert prune_log(wish(2), offline).answers == 0
    assert len(list(offline.journal.entries())) == 1
    assert verify(offline.journal.entries(), offline.journal.head()).ruling == "pass"


RELEASE = Release(
    id="r", version=2, champion=1, strategy="canary", steps=(0.1, 1.0),
    started_at=DAY + HOUR, step_at=DAY + 2 * HOUR,
)  # fmt: skip


@pytest.mark.parametrize(
    ("state", "left", "reason"),
    [
        ({"release": RELEASE}, 300, "the release of version 2 is under way"),
        ({"release": msgspec.structs.replace(RELEASE, strategy="direct")}, 60, ""),
        (
            {"watch": Watch(version=2, previous=1, since=DAY + 2.5 * HOUR, until=NOW)},
            180,
            "version 2 is watched since its promotion",
        ),
        ({"champion": 1, "watched": DAY + 4 * HOUR}, 180, "windows that were not looked at yet"),
        ({"champion": 1, "watched": NOW}, 60, ""),
    ],
)
def test_what_the_loop_needs_is_kept_and_said(project, state, left, reason):
    offline = opened(project, **state)
    found = prune_log(wish(4, dry=True), offline)
    assert [one.reason for one in found.held] == ([reason] if reason else [])
    done = prune_log(wish(4), offline)
    assert done.answers == found.answers == 300 - left
    assert [one.answers for one in done.held] == ([left - 60] if reason else [])
    assert len(rows(project)) == left


def test_answers_whose_outcomes_may_still_come_are_kept(project):
    offline = opened(project)
    close = PruneWish(1.0, clock=ManualClock(DAY + 5 * HOUR))
    done = prune_log(close, offline)
    (held,) = done.held
    assert held.reason == "outcomes may come up to 1h after an answer"
    assert rows(project)[0] == "p-00230"  # an hour and five minutes before; groups stay whole


def test_without_time_what_is_needed_is_told_by_position(project):
    watched = {"champion": 1, "watched": 200.0}
    offline = opened(project, UNTIMED, **watched)
    done = prune_log(wish(100), offline)
    assert [one.reason for one in done.held] == [
        "windows that were not looked at yet",
        "outcomes may come up to 50 rows after an answer",
    ]
    assert [one.since for one in done.held] == [DAY + 2 * HOUR, DAY + 4 * HOUR + 600]
    assert rows(project)[0] == "p-00120"


def test_what_is_measured_on_fewer_answers_is_said(project):
    offline = opened(project, champion=3, watched=NOW, promoted_at=DAY)
    words = prune_log(wish(2), offline).narrowed
    assert "of version 3 is measured on its answers since its promotion" in words
    contract = parse(TIMED)
    assert narrowed(LoopState(model="m", champion=3, promoted_at=DAY), contract, DAY) == ""
    assert [need.since for need in needs(None, contract, NOW)] == [NOW - HOUR]


def test_shadows_go_with_the_answers_beside_them(project):
    with SqliteLog(shadow_file(project / ".setpoint" / "log.db")) as shadows:
        fill(shadows)
    offline = opened(project)
    assert prune_log(wish(2), offline).shadows == 120
    assert forget_keys(("k3",), offline).shadows == 26
    with SqliteLog(shadow_file(project / ".setpoint" / "log.db")) as shadows:
        assert len(shadows.window(0.0, 1e12)) == 154


def run(*words, code=0):
    found = CliRunner().invoke(app, ["log", *words])
    assert found.exit_code == code, found.output
    return found.output


def test_prune_says_what_it_did(project):
    assert "300 answers would be removed, older than" in run("prune", "--keep", "30d", "--dry-run")
    found = json.loads(run("prune", "--keep", "30d", "--json"))
    assert (found["answers"], found["outcomes"], found["held"]) == (300, 100, [])
    assert "0 answers and 0 outcomes were removed" in run("prune", "--keep", "30d")
    assert "is not a duration" in run("prune", "--keep", "long", code=2)


def test_forget_says_how_much_and_tells_nobody_whom(project):
    offline = opened(project)
    assert "43 answers would be removed" in run("forget", "--key", "k3", "--dry-run")
    assert "86 answers and 29 outcomes were removed" in run("forget", "--key", "k3", "--key", "k5")
    assert "0 answers and 0 outcomes were removed" in run("forget", "--key", "k3")
    assert len(rows(project)) == 214
    (entry,) = offline.journal.entries()
    assert entry.event.kind == "answers_forgotten"
    assert entry.event.body["numbers"] == {
        "keys": 2, "answers": 86, "outcomes": 29, "shadows": 0, "files": 3,
    }  # fmt: skip
    assert "k3" not in str(entry)


@pytest.mark.parametrize(("rule", "logged"), [("hash", None), ("first 1", "k"), ("drop", "")])
def test_keys_are_found_in_the_form_in_which_they_are_logged(project, rule, logged):
    columns = f"{{customer: {{type: category, log: {rule}}}}}"
    offline = opened(project, TIMED.replace("time: t}", f"time: t, columns: {columns}}}"))
    if logged is None:
        secret = secret_of(place_of(offline.settings), "")()
        logged = change_of("hash", "customer", secret)("k3")
    with SqliteLog(project / ".setpoint" / "log.db") as log:
        log.append([prediction(900, key=logged)])
    is_told = rule == "hash"
    output = run("forget", "--key", "k3", code=0 if is_told else 3)
    assert f"{44 if is_told else 43} answers and" in output
    assert ("cannot be told by it" in output) != is_told
    assert ("p-00900" in rows(project)) != is_told


def test_contract_without_a_key_has_nobody_to_forget(project):
    opened(project, TIMED.replace("key: customer, ", ""))
    assert "does not name data.key" in run("forget", "--key", "k3", code=2)


def test_retention_prunes_once_an_hour_and_tells_what_it_did(project, monkeypatch):
    monkeypatch.setenv("SETPOINT_LOG_KEEP", "98h")
    offline = opened(project)
    told = []

    class Watch(ManualClock):
        def stopwatch(self):
            return self.now()

    clock = Watch(NOW)
    retain = Retention(offline, clock, told.append)
    retain()
    assert told == ["120 old answers were removed from the log"]
    clock.put(NOW + 3599)
    retain()
    clock.put(NOW + 3600)
    retain()
    assert told[1:] == ["60 old answers were removed from the log"]
    (project / ".setpoint" / "log.db").unlink()
    clock.put(NOW + 7200)
    retain()
    assert "the next hour tries again: there is no prediction log yet" in told[-1]


def test_without_a_word_nothing_is_removed(project):
    told = []
    Retention(opened(project), ManualClock(NOW), told.append)()
    assert (told, len(rows(project))) == ([], 300)


def test_retention_that_is_no_duration_is_refused(project, monkeypatch):
    monkeypatch.setenv("SETPOINT_LOG_KEEP", "90")
    with pytest.raises(UsageError, match="SETPOINT_LOG_KEEP 90: is not a duration"):
        Retention(opened(project), ManualClock(NOW), print)
