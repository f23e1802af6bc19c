"""Losses of two versions on the same rows: the strongest comparison there is, since a hard hour is hard for both."""

from dataclasses import dataclass

import numpy as np

from setpoint.control.world import World
from setpoint.facts.answers import Answers
from setpoint.facts.evidence import Floats, Scores, recode
from setpoint.facts.state import LoopState
from setpoint.release.outcome import class_loss, value_loss


@dataclass(frozen=True)
class Pairs:
    """Losses in [0, 1] of two versions on n rows whose outcome is known, in the order of the rows.

    Args:
        losses: Of the version that answered, shape (n,).
        other: What the other version would have had, shape (n,).
        known: Rows whose outcome is known, where the other version cannot answer them: the log has not all inputs.
        withheld: The inputs that it has not.
    """

    losses: Floats
    other: Floats
    known: int = 0
    withheld: tuple[str, ...] = ()


def loss_scale(state: LoopState) -> float:
    """Return what absolute errors are divided by to be losses in [0, 1]: eight times the champion's mean error.

    Larger errors count as one. 1 for classes, and before the first champion.
    """
    champion = state.versions.get(str(state.champion))
    error = None if champion is None else champion.metrics.get("mae")
    return 8.0 * error if error else 1.0


def pairs_since(world: World, state: LoopState, since: float, versions: tuple[int, int]) -> Pairs:
    """Return the losses of two versions on the rows that the first one answered.

    Args:
        world: The ports.
        state: The state.
        since: First tick of the rows.
        versions: The version that answered, and the other one.
    """
    version, other = versions
    nothing = Pairs(np.empty(0), np.empty(0))
    now = world.clock.now()
    (told,) = world.traffic.scored(version, [(since, now)])
    if not told.known.any():
        return nothing
    # Inputs are read only as far as outcomes are known: most of the time those are the older answers.
    last = float(np.nextafter(told.at[told.known][-1], np.inf))
    answers = world.traffic.answers(version, since, last)
    if answers.withheld:
        withheld = tuple(sorted(answers.withheld))
        return Pairs(nothing.losses, nothing.other, int(answers.known.sum()), withheld)
    artifact = state.versions[str(other)].artifact
    table = answers.table.filter(answers.known)
    scores = recode(
        world.scorer.score(artifact, table), world.scorer.classes(artifact), answers.classes
    )
    scale = loss_scale(state)
    return Pairs(
        losses(answers, answers.scores, scale)[answers.known],
        _losses_of_known(answers, scores, scale),
    )


def losses(answers: Answers, scores: Scores, scale: float) -> Floats:
    """Return the loss of each answer in [0, 1]; meaningless where the outcome is not known, shape (n,)."""
    if answers.classes:
        return class_loss(answers.truth_label, scores.label)
    return value_loss(np.nan_to_num(answers.truth_value), scores.value, scale=scale)


def _losses_of_known(answers: Answers, scores: Scores, scale: float) -> Floats:
    known = answers.known
    if answers.classes:
        return class_loss(answers.truth_label[known], scores.label)
    return value_loss(answers.truth_value[known], scores.value, scale=scale)
