"""Notes on the section `release`: what its strategy needs, and what guardrails can mean under it."""

from collections.abc import Iterator, Mapping

from setpoint.contract.contract import Contract
from setpoint.contract.note import Remark
from setpoint.contract.origin import Path
from setpoint.contract.release import (
    ErrorRateGuardrail,
    LatencyGuardrail,
    OutcomeGuardrail,
)
from setpoint.contract.release_need import outcomes_to_tell, requests_needed

_USUAL_LOSS = 0.2  # where no champion says how often it is wrong
_PLAUSIBLE = 0.9  # a challenger that is wrong a tenth less often
_COMPARING = ("ab", "bandit")


def release_remarks(contract: Contract, metrics: Mapping[str, float]) -> Iterator[Remark]:
    """Yield remarks on how a contract releases.

    Args:
        contract: The contract.
        metrics: Value of each metric of the present champion, where there is one.
    """
    if contract.release.strategy != "direct":
        yield from _needs(contract)
        yield from _means(contract, metrics)
    else:
        yield from _of_direct(contract)
    yield from _outcomes_too_late(contract)
    yield from _rows_that_are_not_logged(contract)


def _needs(contract: Contract) -> Iterator[Remark]:
    release = contract.release
    needed, least = requests_needed(release), release.min_requests
    who = {
        "shadow": f"each step copies {least:,} of them",
        "blue_green": f"the challenger alone answers {least:,}",
        "bandit": f"the outcomes of {least:,} requests of each arm are known before shares move",
    }.get(release.strategy, f"the smaller arm of each step sees {least:,}")
    yield (
        "info",
        ("release", "steps"),
        f"a whole release needs {needed:,} requests, so that {who}",
    )
    held = [step.hold for step in release.steps if step.hold is not None]
    if sum(span.value for span in held) > release.max_duration.value:
        message = f"its steps last longer than max_duration {release.max_duration}"
        yield "warning", ("release", "steps"), message


def _means(contract: Contract, metrics: Mapping[str, float]) -> Iterator[Remark]:
    """Yield what a strategy makes of steps and guardrails."""
    match contract.release.strategy:
        case "blue_green":
            yield from _of_blue_green(contract)
        case "shadow":
            yield from _of_shadow(contract)
        case "ab" | "bandit":
            yield from _of_comparison(contract, metrics)


def _of_direct(contract: Contract) -> Iterator[Remark]:
    """Yield what the contract says of a release that there is none of."""
    written = contract.release.model_fields_set
    if "steps" in written and len(contract.release.steps) > 1:
        message = (
            "direct promotes at once; steps have a meaning under canary, shadow, ab and bandit"
        )
        yield "warning", ("release", "steps"), message
    if "guardrails" not in written:
        return
    for path, rail in _rails(contract):
        if not isinstance(rail, OutcomeGuardrail) or rail.after is None:
            message = "is never looked at: direct promotes at once; choose another strategy, such as canary"
            yield "warning", path, message


def _of_blue_green(contract: Contract) -> Iterator[Remark]:
    if len(contract.release.steps) > 1:
        message = "blue_green is one switch of all traffic; only the step 100% has a meaning"
        yield "warning", ("release", "steps"), message
    for path, rail in _rails(contract):
        if isinstance(rail, ErrorRateGuardrail | LatencyGuardrail):
            message = "is judged by its limit alone: no other version answers beside the challenger"
            yield "info", path, message
        elif isinstance(rail, OutcomeGuardrail) and rail.after is None:
            message = "is judged on the challenger's own rows, which the champion answers once more"
            yield "info", path, message


def _of_shadow(contract: Contract) -> Iterator[Remark]:
    for path, rail in _rails(contract):
        if isinstance(rail, LatencyGuardrail):
            message = (
                "is judged by the time of copies, which wait for live requests: slower than the "
                "challenger would be"
            )
            yield "info", path, message
        elif isinstance(rail, OutcomeGuardrail) and rail.after is None:
            yield "info", path, "is judged on copied rows, which both versions answered"


def _of_comparison(contract: Contract, metrics: Mapping[str, float]) -> Iterator[Remark]:
    """Yield what an A/B test or a bandit needs to be told by outcomes."""
    release, path = contract.release, ("release", "strategy")
    name = "an A/B test" if release.strategy == "ab" else "a bandit"
    metric = next(
        (rail.outcome for _, rail in _rails(contract) if isinstance(rail, OutcomeGuardrail)),
        contract.primary_metric,
    )
    if metric is None:
        message = (
            f"{name} is told by outcomes, and there is no metric for them: say model.task, or an outcome among "
            "release.guardrails"
        )
        yield "warning", path, message
        return
    if contract.label_delay.value >= release.max_duration.value:
        message = (
            f"{name} is told by outcomes, which come after {contract.label_delay}, when the release is over: "
            f"on_inconclusive ({release.on_inconclusive}) will decide; raise max_duration"
        )
        yield "warning", path, message
    share = float(release.steps[0].traffic) if release.strategy == "ab" else 1 / 2
    loss = _loss(metrics)
    outcomes = outcomes_to_tell(_PLAUSIBLE * loss, loss, share=share)
    message = (
        f"{name} by the loss of single answers ({metric}): if the challenger errs {_PLAUSIBLE * loss:.3g} and the "
        f"champion {loss:.3g} of the time, half of all releases are told by about {_rounded(outcomes):,} outcomes"
    )
    yield "info", path, message
    for place, rail in _rails(contract):
        if isinstance(rail, OutcomeGuardrail) and rail.after is None:
            message = (
                "margin is not waited for: under this strategy, any surely worse outcome rolls back"
            )
            yield "info", place, message


def _loss(metrics: Mapping[str, float]) -> float:
    """Return how often the champion errs, where its accuracy says so; never so seldom that nothing could be told."""
    accuracy = metrics.get("accuracy")
    return _USUAL_LOSS if accuracy is None else min(max(1.0 - accuracy, 0.001), 0.999)


def _rounded(count: int) -> int:
    """Return a count with two digits that count."""
    return round(count, 2 - len(str(count)))


def _outcomes_too_late(contract: Contract) -> Iterator[Remark]:
    delay, longest = contract.label_delay, contract.release.max_duration
    is_compared = contract.release.strategy in _COMPARING
    for path, rail in _rails(contract):
        if not isinstance(rail, OutcomeGuardrail) or delay.value < longest.value:
            continue
        if rail.after is not None:
            yield "info", path, f"is watched for {rail.after} after promotion, and rolls back"
        elif not is_compared:
            message = (
                f"outcomes come after {delay}, when the release is over; say after: {delay} or more"
            )
            yield "warning", path, message


def _rows_that_are_not_logged(contract: Contract) -> Iterator[Remark]:
    """Yield guardrails that ask the other version about rows that the log does not keep as they are."""
    if contract.data is None:
        return
    rules = contract.data.withheld
    inputs = ", ".join(name for name in rules if name != contract.data.key)
    if not inputs:
        return
    for path, rail in _rails(contract):
        if not isinstance(rail, OutcomeGuardrail):
            continue
        if rail.after is not None:
            when = "after promotion: the version before must answer the same rows"
        elif contract.release.strategy == "blue_green":
            when = "under blue_green: the champion must answer the same rows"
        else:
            continue
        message = f"cannot be measured {when}, and the log does not have {inputs} as they were"
        yield "warning", path, message


def _rails(contract: Contract) -> Iterator[tuple[Path, object]]:
    for position, rail in enumerate(contract.release.guardrails):
        yield ("release", "guardrails", position), rail
