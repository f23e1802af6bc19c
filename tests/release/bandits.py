"""Seeded courses of an A/B test or a bandit: who answers, what turns out, what is decided."""

from dataclasses import dataclass, field

import msgspec

from setpoint.facts.release import ArmCounts, LossSum
from setpoint.release.machine import start, step, weigh


@dataclass
class Course:
    """What a release came to.

    Args:
        action: `promote`, `roll_back`, or `wait` where nothing was decided.
        outcomes: Outcomes of both arms by then.
        regret: Loss beyond what the better arm would have had, in the mean.
        shares: The challenger's share look by look.
        naive: Whether the challenger was ever "the better one with a probability of 95 %".
    """

    action: str = "wait"
    outcomes: int = 0
    regret: float = 0.0
    shares: list[float] = field(default_factory=list)
    naive: bool = False


def arm(version, losses):
    """Return an arm's counts from losses by generation; every request has an outcome."""
    count = sum(one.outcomes for one in losses.values())
    total = sum(one.total for one in losses.values())
    return ArmCounts(
        version=version,
        requests=count,
        errors=0,
        outcomes=count,
        outcome_sum=total,
        losses=dict(losses),
    )


def course(rules, rng, *, challenger, champion, most, look=500):
    """Run one release; `challenger` and `champion` are mean losses, or functions of the outcomes so far."""
    release = start(rules, name="r", version=2, champion=1, now=0.0, generation=1)
    generation, found, losses = 1, Course(), {1: {}, 2: {}}
    while found.outcomes < most:
        rates = [one(found.outcomes) if callable(one) else one for one in (champion, challenger)]
        share = release.share
        found.shares.append(share)
        mine = rng.binomial(look, share)
        for version, n, rate in ((1, look - mine, rates[0]), (2, mine, rates[1])):
            before = losses[version].get(generation, LossSum())
            losses[version][generation] = LossSum(
                before.outcomes + n, before.total + rng.binomial(n, rate)
            )
            found.regret += n * (rate - min(rates))
        found.outcomes += look
        arms = {version: arm(version, one) for version, one in losses.items()}
        taken = step(release, arms, rules, now=float(found.outcomes))
        enough = min(one.outcomes for one in arms.values()) >= rules.min_requests
        found.naive |= enough and taken.numbers.get("p_best", 0.0) >= 0.95
        release = msgspec.structs.replace(
            release, evidence=taken.evidence, comparison=taken.comparison
        )
        if taken.action == "weigh":
            generation += 1
            release = weigh(release, taken, generation=generation)
        elif taken.action != "wait":
            found.action = taken.action
            break
    return found
