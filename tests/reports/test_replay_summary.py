import pytest

from setpoint.facts.decision import Decision
from setpoint.facts.replay import GateCost, ReplaySettings
from setpoint.reports.replay_summary import (
    best_line,
    comparison_note,
    gates_summary,
    line_rows,
    replay_summary,
    settings_words,
)

START = 1_672_531_200.0


def told(replay):
    return " ".join(replay_summary(replay))


def test_a_better_schedule_is_said_and_by_how_much(make_replay):
    replay = make_replay(scheduled=0.81, loop=0.79)
    assert best_line(replay) == "scheduled"
    assert "Refitting on a schedule was better than the loop: it scored 0.81, 0.02 better" in told(
        replay
    )


def test_a_better_model_that_was_left_alone_is_said(make_replay):
    assert "leaving the model alone would have been better" in told(make_replay(static=0.85))


def test_a_loop_that_the_last_known_label_beats_is_said_to_be_worth_nothing(make_replay):
    assert "not worth having" in told(make_replay(no_change=0.9))


def test_where_lower_is_better_the_smaller_error_wins(make_replay):
    replay = make_replay(
        metric="mae", direction="lower", loop=3.0, scheduled=2.5, static=4.0, no_change=5.0
    )
    assert best_line(replay) == "scheduled"
    assert "0.5 better" in told(replay)
    assert replay.better("loop", "static") == 1.0


def test_a_tie_goes_to_the_loop_and_is_called_one(make_replay):
    replay = make_replay(scheduled=0.79, loop=0.79)
    assert best_line(replay) == "loop"
    assert "as good" in told(replay)


def test_nothing_measured_is_not_a_win(make_replay):
    replay = make_replay(loop=None, scheduled=None, static=float("nan"), no_change=None)
    assert best_line(replay) is None
    assert "nothing to compare" in told(replay)
    assert "no value" in told(make_replay(loop=None))


def test_fits_are_compared_with_those_of_the_schedule(make_replay):
    assert "6 fits instead of the schedule's 16 (\N{MINUS SIGN}62.5 %)" in told(make_replay())


def test_shares_are_rounded_and_not_cut_off(make_replay):
    assert "14 fits instead of the schedule's 12 (+16.7 %)" in told(
        make_replay(fits=14, scheduled_fits=12)
    )


def test_fits_add_up_the_first_model_and_its_twin_among_them(make_replay):
    fits = tuple(Decision(id=f"f{i}", at=0.0, action="fit", reason="") for i in range(82))
    said = told(make_replay(fits=84, decisions=fits))
    assert "2 for the model adopted at the start and its twin, 82 for candidates; " in said
    assert "adopted" not in told(make_replay(fits=82, decisions=fits))


def test_the_sign_against_the_loop_is_explained_where_lower_is_better(make_replay):
    said = comparison_note(make_replay(metric="mae", direction="lower"))
    assert "mae: lower is better" in said
    assert "+ is better than the loop" in said


def test_settings_are_told_in_words(make_replay):
    told_ = ReplaySettings(
        start=4000, start_at=START, batch="250 rows", label_delay="48 rows", seed=7
    )
    words = dict(settings_words(make_replay(settings=told_)))
    assert words["labels"] == "48 rows late"
    assert words["first answer"] == "2023-01-01 (row 4,000)"
    assert words["contract"] == "ab" * 8
    assert settings_words(make_replay()) == ()


@pytest.mark.parametrize(
    ("delay", "words"),
    [
        ("0s", "known at once"),
        ("0 rows", "known at once"),
        ("0.5h", "0.5h late"),
        ("7d", "7d late"),
    ],
)
def test_a_label_delay_of_nothing_is_no_short_one(make_replay, delay, words):
    told_ = ReplaySettings(start=1, start_at=START, batch="7d", label_delay=delay, seed=7)
    assert dict(settings_words(make_replay(settings=told_)))["labels"] == words


def test_the_rows_of_the_table_count_against_the_loop(make_replay):
    rows = {row.name: row for row in line_rows(make_replay())}
    assert rows["scheduled"].against == pytest.approx(-0.0028)
    assert rows["loop"].is_best
    assert not rows["static"].is_best


def cost(action, gain, interval=None):
    return GateCost(attempt="a", at=0.0, action=action, gain=gain, interval=interval)


def test_a_refusal_of_a_better_candidate_is_a_cost():
    said = gates_summary([cost("refuse", 0.03, (0.01, 0.05))], "f1")
    assert said == "Of 1 refusal, 1 cost up to 0.03 f1."


def test_a_refusal_of_a_worse_candidate_saved_something():
    said = gates_summary([cost("refuse", -0.03, (-0.05, -0.01))], "f1")
    assert said == "Of 1 refusal, 1 saved up to 0.03 f1."


def test_a_promotion_of_a_worse_candidate_is_a_cost():
    assert "1 cost up to 0.02" in gates_summary([cost("promote", -0.02, (-0.04, -0.01))], "f1")


def test_an_interval_around_zero_tells_nothing():
    said = gates_summary([cost("refuse", 0.03, (-0.01, 0.07)), cost("promote", 0.5)], "f1")
    assert "saved" not in said
    assert "gained" not in said
    assert said.count("show no difference") == 2


def test_unknown_worth_is_not_counted_as_none():
    assert "no later rows tell" in gates_summary([cost("refuse", None)], "f1")
    assert "judged no candidate" in gates_summary([], "f1")
