"""Traffic of a replay: what was not answered, or is not known yet, is never given out."""

import msgspec
import numpy as np
import pytest

from setpoint.facts.deployment import Deployed, Deployment, Shadow
from setpoint.facts.evidence import Scores


class Scorer:
    """Each artifact always answers its own class."""

    def score(self, artifact, table):
        rows = table.num_rows
        label = np.full(rows, int(artifact), dtype=np.int64)
        return Scores(label=label, probability=np.eye(2)[label], value=np.empty(0))

    def classes(self, _artifact):
        return ("0", "1")


def document(generation, **weights):
    shares = {name.removeprefix("v"): share for name, share in weights.items()}
    prepare = tuple(Deployed(version=int(one), bundle="", artifact="") for one in shares)
    return Deployment(
        model="small",
        generation=generation,
        contract="",
        prepare=prepare,
        weights=shares,
        champion=1,
        salt="r",
    )


ARTIFACTS = {1: "0", 2: "1"}


@pytest.fixture
def history(tmp_path, make_play, small_contract, small_table):
    made = make_play(tmp_path, small_contract(delay=10), small_table(1000), scorer=Scorer())
    made.history.begin(100)
    return made.history


def test_nothing_is_known_before_the_first_answer(history):
    assert history.reach() == (0.0, 0.0)
    assert history.answers(1, 0.0, 1000.0).table.num_rows == 0
    assert history.arms(0) == {}


def test_only_answered_rows_are_given_out(history):
    history.answer(100, 300, document(1, v1=1.0), ARTIFACTS)
    assert history.reach() == (100.0, 300.0)
    found = history.answers(1, 0.0, 1000.0)
    assert found.at.tolist() == list(range(100, 300))
    assert history.answers(2, 0.0, 1000.0).table.num_rows == 0
    assert history.answers(1, 150.0, 160.0).at.tolist() == list(range(150, 160))


def test_outcomes_are_hidden_until_they_are_known(history):
    history.answer(100, 300, document(1, v1=1.0), ARTIFACTS)
    assert not history.answers(1, 0.0, 1000.0).known.any()
    history.know(250)
    found = history.answers(1, 0.0, 1000.0)
    assert found.known.tolist() == (found.at < 250).tolist()
    assert (found.truth_label[~found.known] == -1).all()
    assert (found.truth_label[found.known] >= 0).all()


def test_canary_takes_its_share_and_each_version_answers_for_itself(history):
    history.answer(100, 1000, document(3, v1=0.8, v2=0.2), ARTIFACTS)
    arms = history.arms(3)
    assert arms[1].requests + arms[2].requests == 900
    assert 120 < arms[2].requests < 240
    assert (history.answers(2, 0.0, 1000.0).scores.label == 1).all()
    assert (history.answers(1, 0.0, 1000.0).scores.label == 0).all()


def test_arms_count_the_outcomes_that_are_known_by_now(history):
    history.answer(100, 1000, document(3, v1=0.5, v2=0.5), ARTIFACTS)
    assert [arm.outcomes for arm in history.arms(3).values()] == [0, 0]
    history.know(400)
    for version, arm in history.arms(3).items():
        found = history.answers(version, 0.0, 1000.0)
        wrong = found.truth_label[found.known] != found.scores.label[found.known]
        assert (arm.outcomes, arm.outcome_sum) == (found.known.sum(), wrong.sum())
        assert arm.outcome_squares == arm.outcome_sum
        assert 0 < arm.outcome_sum < arm.outcomes < arm.requests


def test_errors_of_numbers_are_weighed_and_cut_at_one(
    tmp_path, make_play, small_contract, small_table
):
    class Zero:
        def score(self, _artifact, table):
            none = np.empty(0, dtype=np.int64)
            return Scores(none, np.empty((table.num_rows, 0)), np.zeros(table.num_rows))

    table = small_table(300, task="regression")
    play = make_play(tmp_path, small_contract("regression"), table, scorer=Zero())
    play.history.begin(100)
    play.history.answer(100, 300, document(1, v1=1.0), ARTIFACTS)
    play.history.know(300)
    error = np.minimum(np.abs(table["y"].to_numpy()[100:]) / 0.5, 1.0)
    arm = play.history.arms(1, scale=0.5)[1]
    assert (arm.outcomes, error.max()) == (200, 1.0)
    assert arm.outcome_sum == pytest.approx(error.sum())
    assert arm.outcome_squares == pytest.approx((error**2).sum())


def test_answers_without_inputs_are_the_same_numbers(history):
    history.answer(100, 600, document(3, v1=0.7, v2=0.3), ARTIFACTS)
    history.know(300)
    stretches = [(0.0, 1000.0), (150.0, 320.0), (400.0, 300.0)]
    for scored, stretch in zip(history.scored(2, stretches), stretches, strict=True):
        answers = history.answers(2, *stretch)
        for name in ("at", "truth_label", "truth_value", "known"):
            assert getattr(scored, name).tolist() == getattr(answers, name).tolist()
        for name in ("label", "probability", "value"):
            found, wanted = getattr(scored.scores, name), getattr(answers.scores, name)
            assert (found.shape, found.tolist()) == (wanted.shape, wanted.tolist())


def test_answers_under_an_earlier_document_do_not_count(history):
    history.answer(100, 500, document(3, v1=0.8, v2=0.2), ARTIFACTS)
    assert history.arms(4) == {}
    history.answer(500, 600, document(4, v1=0.5, v2=0.5), ARTIFACTS)
    assert sum(arm.requests for arm in history.arms(4).values()) == 100


def test_rows_fall_the_same_way_however_they_are_batched(history, tmp_path):
    split = document(3, v1=0.7, v2=0.3)
    history.answer(100, 600, split, ARTIFACTS)
    at_once = history.answers(2, 0.0, 1000.0).at
    history.begin(100)
    for start in range(100, 600, 50):
        history.answer(start, start + 50, split, ARTIFACTS)
    assert history.answers(2, 0.0, 1000.0).at.tolist() == at_once.tolist()


def test_other_release_gives_the_canary_to_other_rows(history):
    history.answer(100, 600, document(3, v1=0.7, v2=0.3), ARTIFACTS)
    first = set(history.answers(2, 0.0, 1000.0).at)
    history.begin(100)
    other = msgspec.structs.replace(document(3, v1=0.7, v2=0.3), salt="another")
    history.answer(100, 600, other, ARTIFACTS)
    assert set(history.answers(2, 0.0, 1000.0).at) != first


def shadowing(generation, fraction=1.0):
    prepare = tuple(Deployed(version=one, bundle="", artifact="") for one in (1, 2))
    shadows = (Shadow(version=2, fraction=fraction),)
    return msgspec.structs.replace(
        document(generation, v1=1.0), prepare=prepare, shadows=shadows, strategy="shadow"
    )


def test_shadow_is_in_no_reading_of_the_live_answers(history):
    history.answer(100, 300, shadowing(1), ARTIFACTS)
    assert set(history.arms(0)) == {1}
    assert history.answers(2, 0.0, 1000.0).table.num_rows == 0
    (told,) = history.scored(2, [(0.0, 1000.0)])
    assert told.at.size == 0


def test_shadow_is_held_against_the_live_answers_to_its_rows(history):
    history.answer(100, 300, shadowing(1), ARTIFACTS)
    found = history.shadowed(2, 150.0, 250.0)
    assert (found.shadow.requests, found.live.requests) == (100, 100)
    assert (found.shadow.version, found.live.version) == (2, 1)
    assert (found.compared, found.agreed) == (100, 0)
    assert found.differences.tolist() == [1.0] * 100
    assert found.scored.at.tolist() == list(range(150, 250))
    assert (found.scored.scores.label == 1).all()


def test_outcomes_judge_a_shadow_when_they_are_known_and_not_before(history):
    history.answer(100, 300, shadowing(1), ARTIFACTS)
    assert history.shadowed(2, 0.0, 1000.0).losses.size == 0
    history.know(200)
    found = history.shadowed(2, 0.0, 1000.0)
    assert found.losses.size == found.live_losses.size == 100
    assert (found.losses + found.live_losses == 1.0).all()  # they answer the opposite
    assert found.shadow.outcome_sum == found.losses.sum()
    assert found.live.outcomes == 100


def test_fraction_and_generation_of_a_shadow(history):
    history.answer(100, 500, shadowing(1, 0.3), ARTIFACTS)
    history.answer(500, 1000, shadowing(2, 0.6), ARTIFACTS)
    some = history.shadowed(2, 0.0, 1000.0)
    later = history.shadowed(2, 0.0, 1000.0, generation=2)
    assert 90 <= some.compared - later.compared <= 150
    assert 260 <= later.compared <= 340
    assert later.scored.at.min() >= 500


def test_version_that_was_never_a_shadow_has_no_evidence(history):
    history.answer(100, 300, document(1, v1=1.0), ARTIFACTS)
    found = history.shadowed(2, 0.0, 1000.0)
    assert (found.compared, found.shadow.requests, found.differences.size) == (0, 0, 0)


def test_model_without_probabilities_has_no_differences(
    tmp_path, make_play, small_contract, small_table
):
    class Plain(Scorer):
        def score(self, artifact, table):
            told = super().score(artifact, table)
            return Scores(told.label, np.empty((table.num_rows, 0)), told.value)

    play = make_play(tmp_path, small_contract(), small_table(300), scorer=Plain())
    play.history.begin(100)
    play.history.answer(100, 300, shadowing(1), ARTIFACTS)
    found = play.history.shadowed(2, 0.0, 1000.0)
    assert (found.compared, found.agreed, found.differences.size) == (200, 0, 0)
