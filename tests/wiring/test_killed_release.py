"""`up` killed again and again from the trigger of a retrain to the promotion of its challenger, while people ask."""

import signal
from collections import Counter
from itertools import pairwise
from typing import ClassVar

import pytest

CONTRACT = """\
release:
  strategy: canary
  steps: [20%, 50%, 100%]
  min_requests: 50
  guardrails: [{error_rate: 10%}]
retrain: {when: [rows.new >= 1000]}
"""
CHAMPION, CHALLENGER = 1, 2
ALIASES = "SELECT alias, version FROM registered_model_aliases"
ON_ITS_WAY = (
    "retrain_started",
    "candidate_fitted",
    "candidate_judged",
    "version_registered",
    "release_started",
    "step_passed",
    "promoted",
    "rolled_back",
    "held",
    "candidate_refused",
    "alias_put_back",
)


# `up` that dies at a call of its own: between what is in the state and what is made equal to it.
DIES_AT = """\
import os, signal

from setpoint.adapters.deferred_registry import DeferredRegistry
from setpoint.adapters.file_deployments import FileDeployments
from setpoint.cli import main

def die(*_):
    os.kill(os.getpid(), signal.SIGKILL)

CALL = die
main()
"""
PUBLISHING, MOVING_AN_ALIAS = "FileDeployments.publish", "DeferredRegistry.point"


def is_fitting(project):
    attempt = project.state.attempt
    is_open = attempt is not None and attempt.stage == "opened"
    return is_open and any((project.store / "jobs").glob(".running-*/output.txt"))


def is_registering(project):
    """Whether MLflow knows the run of the attempt, which is not a version yet."""
    attempt = project.state.attempt
    is_judged = attempt is not None and attempt.stage == "judged"
    return is_judged and project.mlflow_rows("SELECT COUNT(*) FROM runs") == [(2,)]


def is_within(step, requests):
    """Whether the challenger has had so many requests of this step: fewer than end it."""

    def holds(project):
        release = project.state.release
        if release is None or release.step != step:
            return False
        return project.arms(release.generation).get(CHALLENGER, 0) >= requests

    return holds


@pytest.fixture
def lives(project):
    """Let `up` live until something holds, or until it dies by itself at a call."""

    class Lives:
        counted: ClassVar = {}

        @staticmethod
        def until(what, holds):
            process = project.up()
            project.wait_for(what, holds, process)
            project.kill(process)
            assert project.verification().ruling == "pass"

        def until_within(self, step):
            """Kill it in the middle of a step, and keep what this step had counted by then."""
            self.until(f"the middle of step {step}", is_within(step, 20))
            generation = project.state.release.generation
            self.counted[generation] = project.arms(generation)

        @staticmethod
        def until_it_dies(call):
            process = project.up(DIES_AT.replace("CALL", call))
            assert process.wait(120) == -signal.SIGKILL, project.said
            assert project.verification().ruling == "pass"

    return Lives()


@pytest.mark.slow
def test_release_killed_at_every_step_is_promoted_once_and_loses_no_answer(project, traffic, lives):
    project.write_contract(CONTRACT)
    project.run()
    project.write_rows(2400)
    traffic.start()
    lives.until("the fit", is_fitting)
    lives.until("the registration", is_registering)
    for step in (0, 1):
        lives.until_it_dies(PUBLISHING)
        assert project.state.release.step == step
        assert project.deployment.generation == project.state.generation - 1
        lives.until_within(step)
        assert project.deployment == project.state.deployment
    lives.until_it_dies(MOVING_AN_ALIAS)
    assert project.state.champion == CHALLENGER
    assert ("champion", CHAMPION) in project.mlflow_rows(ALIASES)
    process = project.up()
    project.wait_ready(process)
    project.wait_for(
        "aliases", lambda _: project.mlflow_rows(ALIASES) == [("champion", CHALLENGER)]
    )
    enough = len(traffic.acknowledged) + 50
    project.wait_for("answers", lambda _: len(traffic.acknowledged) >= enough, process)
    project.end(process)
    traffic.stop()
    require_one_way_to_production(project)
    require_steps_counted_in_full(project, lives.counted)
    require_agreement(project)
    require_answers_kept(project, traffic)
    require_customers_kept(project)


def require_one_way_to_production(project):
    """Each step is in the ledger once, in order, with ascending documents; nothing else was decided."""
    assert project.verification().ruling == "pass"
    taken = project.decisions(*ON_ITS_WAY)
    actions = [one["action"] for one in taken]
    first = ["retrain", "fit", "judge", "register", "promote"]
    again = [*first[:-1], "release", "advance", "promote"]
    assert actions == [*first, *again]
    every = [entry.event.body["id"] for entry in project.journal.entries()]
    assert every == list(dict.fromkeys(every))
    moved = [one for one in taken if one["action"] in ("release", "advance", "promote")]
    assert [one["version"] for one in moved] == [CHAMPION, *[CHALLENGER] * 3]
    generations = [one["numbers"]["generation"] for one in moved]
    assert generations == list(range(1, 5))
    assert [one["numbers"]["share"] for one in moved[1:3]] == [0.2, 0.5]


def require_steps_counted_in_full(project, counted):
    """What a step's verdict counted are the requests of its own document, and those before a kill are among them."""
    moved = project.decisions("release_started", "step_passed", "promoted")[1:]
    logged = Counter((one["generation"], one["version"]) for one in project.logged())
    assert len(counted) == 2
    for begun, ended in pairwise(moved):
        generation = begun["numbers"]["generation"]
        (verdict,) = ended["verdicts"]
        assert verdict["verdict"] == "pass"
        for version, judged in ((CHALLENGER, "n"), (CHAMPION, "champion_n")):
            n = verdict[judged] if judged in verdict else verdict["evidence"][judged]
            assert n >= 50
            assert counted[generation].get(version, 0) <= n
            # Later documents count too, but there is none before the step is passed.
            assert n <= logged[generation, version]


def require_agreement(project):
    """State, deployment document and MLflow say the same; each attempt has one run and one version."""
    state = project.state
    assert (state.champion, state.previous) == (CHALLENGER, CHAMPION)
    assert (state.release, state.attempt, state.proposed) == (None, None, 0)
    assert project.deployment == state.deployment
    assert state.deployment.weights == {str(CHALLENGER): 1.0}
    attempts = {version: state.versions[str(version)].attempt for version in (CHAMPION, CHALLENGER)}
    known = project.mlflow()
    assert known["versions"] == [[version, attempt] for version, attempt in attempts.items()]
    assert known["runs"] == sorted(attempts.values())
    assert known["aliases"] == {"champion": CHALLENGER}
    assert [path.name for path in (project.store / "jobs").glob(".running-*")] == []


def require_answers_kept(project, traffic):
    """Every answer that was acknowledged is in the log; people were only ever answered, or found nobody."""
    assert traffic.wrong == []
    assert traffic.refused > 0
    assert len(traffic.acknowledged) > 300
    assert Counter(traffic.acknowledged).most_common(1)[0][1] == 1
    logged = project.logged()
    assert set(traffic.acknowledged) <= {one["id"] for one in logged}
    assert {one["error"] for one in logged} == {""}


def require_customers_kept(project):
    """A customer who got the challenger keeps it: in each later document of the release, whoever died meanwhile."""
    had = {}
    given = {(one["generation"], one["who"], one["version"]) for one in project.logged()}
    for generation, key, version in sorted(one for one in given if one[0] > 1):
        had.setdefault(key, []).append((generation, version))
    for key, versions in had.items():
        assert len({generation for generation, _ in versions}) == len(versions), key
        assert [version for _, version in versions] == sorted(version for _, version in versions)
