"""A/B tests and bandits: what ends them, and how often wrongly."""

import msgspec
import numpy as np
import pytest
from tests.release.bandits import arm as arm_of
from tests.release.bandits import course

from setpoint.facts.release import LossSum
from setpoint.release.machine import start, step, weigh

DAY = 86400.0


@pytest.fixture
def contest(rules):
    def make(strategy, **more):
        section = {"guardrails": [], "min_requests": 500, "max_duration": "3000d"} | more
        return rules(strategy=strategy, **section)

    return make


def begun(rules):
    return start(rules, name="r-1", version=2, champion=1, now=0.0, generation=5)


def arms(challenger, champion, generation=5):
    """Return counts of both arms from (outcomes, losses)."""
    return {
        2: arm_of(2, {generation: LossSum(*challenger)}),
        1: arm_of(1, {generation: LossSum(*champion)}),
    }


@pytest.mark.parametrize("strategy", ["ab", "bandit"])
def test_surely_better_is_promoted_and_surely_worse_rolled_back(contest, strategy):
    found = contest(strategy)
    better = step(begun(found), arms((2000, 200), (2000, 400)), found, now=0.0)
    assert (better.action, better.verdicts[-1].verdict) == ("promote", "pass")
    worse = step(begun(found), arms((2000, 400), (2000, 200)), found, now=0.0)
    assert (worse.action, worse.verdicts[-1].verdict) == ("roll_back", "fail")


@pytest.mark.parametrize("strategy", ["ab", "bandit"])
def test_better_outcomes_do_not_make_up_for_a_guardrail(contest, strategy):
    found = contest(strategy, guardrails=[{"error_rate": "1%"}])
    better = arms((2000, 200), (2000, 400))
    failing = {
        n: msgspec.structs.replace(one, errors=300 if n == 2 else 2) for n, one in better.items()
    }
    assert step(begun(found), failing, found, now=0.0).action == "roll_back"
    unsure = {n: msgspec.structs.replace(one, errors=18) for n, one in better.items()}
    taken = step(begun(found), unsure, found, now=0.0)
    assert taken.action in ("wait", "weigh")
    assert [verdict.verdict for verdict in taken.verdicts] == ["inconclusive", "pass"]


@pytest.mark.parametrize("strategy", ["ab", "bandit"])
def test_time_that_is_over_leaves_it_to_the_contract(contest, strategy):
    for on_inconclusive, action in (
        ("hold", "hold"),
        ("rollback", "roll_back"),
        ("promote", "promote"),
    ):
        found = contest(strategy, max_duration="7d", on_inconclusive=on_inconclusive)
        equal = arms((600, 120), (600, 120))
        assert step(begun(found), equal, found, now=7 * DAY - 1).action == "wait"
        assert step(begun(found), equal, found, now=7 * DAY).action == action


def test_no_outcome_is_no_verdict(contest, arm):
    found = contest("ab")
    taken = step(begun(found), {1: arm(1, 9000), 2: arm(2, 9000)}, found, now=0.0)
    assert (taken.action, taken.verdicts[-1].verdict) == ("wait", "inconclusive")


def test_split_of_an_ab_test_is_its_first_step(contest):
    assert begun(contest("ab", steps=["20%", "100%"])).share == 0.2
    assert begun(contest("ab")).share == 0.5


def test_bandit_begins_evenly_and_moves_once_each_arm_has_outcomes(contest):
    found = contest("bandit")
    release = begun(found)
    assert release.share == 0.5
    few = step(release, arms((499, 80), (700, 140)), found, now=0.0)
    assert few.action == "wait"
    taken = step(release, arms((500, 80), (700, 130)), found, now=0.0)
    assert taken.action == "weigh"
    assert taken.share == pytest.approx(taken.numbers["p_best"], abs=1e-4)
    assert 0.8 < taken.share < 0.9
    assert f"{taken.share:.0%} of the traffic" in taken.reason


def test_floor_keeps_either_arm_in_sight(contest):
    found = contest("bandit", steps=["20%", "100%"])
    release = begun(found)
    assert step(release, arms((700, 120), (700, 163)), found, now=0.0).share == 0.8
    assert step(release, arms((700, 163), (700, 130)), found, now=0.0).share == 0.2


def test_shares_are_published_anew_only_for_a_reason(contest):
    found = contest("bandit")
    release = begun(found)
    first = step(release, arms((600, 100), (600, 112)), found, now=0.0)
    assert first.action == "weigh"
    release = weigh(release, first, generation=6)
    assert (release.share, release.weights) == (first.share, {"5": 0.5, "6": first.share})
    assert release.generation == 5, "what was answered before still counts"
    few = step(release, arms((610, 112), (605, 112)), found, now=0.0)
    assert few.action == "wait", "not enough new outcomes"
    same = step(release, arms((1200, 200), (1200, 215)), found, now=0.0)
    assert same.action == "wait", "moved by too little"
    assert step(release, arms((1200, 215), (1200, 215)), found, now=0.0).action == "weigh"


def test_search_ends_where_no_gain_worth_having_is_left(contest):
    rail = {"outcome": "accuracy", "not_worse_by": "5%"}
    found = contest("bandit", guardrails=[rail])
    equal = arms((8000, 1600), (8000, 1590))
    taken = step(begun(found), equal, found, now=0.0)
    assert taken.action == "roll_back"
    assert "nothing worth having" in taken.reason
    narrow = contest("bandit", guardrails=[rail | {"not_worse_by": "1%"}])
    assert step(begun(narrow), equal, narrow, now=0.0).action in ("wait", "weigh")


def ends(contest, strategy, seed, times, **how):
    rng = np.random.default_rng(seed)
    return [course(contest(strategy), rng, **how) for _ in range(times)]


@pytest.mark.parametrize(("strategy", "times"), [("ab", 100), ("bandit", 30)])
def test_equal_challenger_is_promoted_in_at_most_five_percent(contest, strategy, times):
    found = ends(contest, strategy, 1, times, challenger=0.2, champion=0.2, most=15_000)
    actions = [one.action for one in found]
    assert actions.count("promote") <= 0.05 * times
    assert actions.count("roll_back") <= 0.05 * times
    if strategy == "bandit":
        assert sum(one.naive for one in found) > 0.15 * times, "the posterior alone would have"


@pytest.mark.parametrize("strategy", ["ab", "bandit"])
def test_challenger_that_errs_a_quarter_less_is_found(contest, strategy):
    found = ends(contest, strategy, 2, 20, challenger=0.15, champion=0.2, most=15_000)
    assert [one.action for one in found].count("promote") >= 19
    assert np.median([one.outcomes for one in found]) <= 5000


def test_regret_is_below_that_of_an_even_split(contest):
    """Rewards of .05 and .06: the known case of METHODS; an even split loses .005 an answer."""
    most = 20_000
    found = ends(contest, "bandit", 3, 12, challenger=0.94, champion=0.95, most=most)
    even = 0.005 * most
    regrets = [
        one.regret + (most - one.outcomes) * 0.01 * (one.action == "roll_back") for one in found
    ]
    assert np.mean(regrets) < 0.5 * even
    assert np.mean([regret < even for regret in regrets]) >= 0.9
    worse = ends(contest, "bandit", 4, 12, challenger=0.95, champion=0.94, most=most)
    regrets = [
        one.regret + (most - one.outcomes) * 0.01 * (one.action == "promote") for one in worse
    ]
    assert np.mean(regrets) < 0.5 * even


def test_world_that_moves_with_the_shares_deceives_nobody(contest):
    """Both arms err alike at every hour, more and more: sums favour the arm that had the earlier hours."""

    def harder(outcomes):
        return 0.1 + 0.3 * min(outcomes / 15_000, 1.0)

    found = ends(contest, "bandit", 5, 20, challenger=harder, champion=harder, most=15_000)
    actions = [one.action for one in found]
    assert actions.count("promote") <= 1
    assert actions.count("roll_back") <= 2
    assert max(max(one.shares) - min(one.shares) for one in found) > 0.5, "shares did move"
