"""An attempt against what can change while it is under way."""

import pytest

from setpoint.control import attempting
from setpoint.facts.state import LoopState


@pytest.mark.parametrize("later", [100, 500])
def test_profile_is_of_the_rows_that_were_fitted_whatever_the_source_became(
    tmp_path, make_play, small_contract, small_table, later
):
    """The source may have been replaced before the pass that fits: a pass may die, and the next one reads again."""
    contract = small_contract()
    opened = make_play(tmp_path, contract, small_table(400, seed=1), unfolding=False)
    replaced = make_play(tmp_path, contract, small_table(later, seed=2), unfolding=False)
    wanted = attempting.Wanted(attempting.BY_HAND, "a person asked for it")
    state = attempting.open_attempt(
        opened.world, contract, LoopState(model="small"), opened.rows, wanted
    ).state
    fitted = [
        attempting.fit(opened.world, contract, state, rows, state.attempt).state.attempt.artifact
        for rows in (opened.rows, replaced.rows)
    ]
    profiles = [opened.world.bundles.profile(artifact) for artifact in fitted]
    assert profiles[0].rows == len(attempting.fitted_rows(state.attempt.job))
    assert profiles[1] == profiles[0]
    assert fitted[1] == fitted[0]
