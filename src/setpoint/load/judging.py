"""What a load says: was the rate kept, were the requests answered, and soon enough?

The three questions have a verdict each. Where the generator itself could not keep the rate, or had no processor when it
had work, so that answers waited for it, nothing is said against the gateway: that is `inconclusive`, and no `fail`.
"""

from setpoint.facts.verdict import Ruling, Verdict
from setpoint.load.measured import Measured

MISSING = 0.01  # share of requests that may be missing from a rate that was kept
LATE = 0.05  # share of requests that the generator may send late: beyond, they come in bursts and not at a rate
LATE_TAIL = 0.005  # and beyond which a 99th percentile above its limit may be the generator's own
BUSY = 0.9  # share of the time, at work or waiting for a processor, from which answers wait for the generator
STARVED = 0.25  # share of the time, waiting for a processor alone, from which they do
_TAIL = 100  # answers that a 99th percentile needs


def judge(found: Measured, *, errors: float, p99_s: float | None) -> list[Verdict]:
    """Return the verdicts.

    Args:
        found: What the load came to.
        errors: Share of requests that may go without an answer, 0 to 1.
        p99_s: What the 99th percentile of latency may be; None asks nothing of it.
    """
    verdicts = [_rate(found), _answers(found, errors)]
    if p99_s is not None:
        verdicts.append(_latency(found, p99_s))
    return verdicts


def _rate(found: Measured) -> Verdict:
    ruling, reason = _rate_ruling(found)
    return Verdict(
        subject="rate kept",
        verdict=ruling,
        observed=found.sent / found.elapsed_s if found.elapsed_s else None,
        limit=found.rate,
        n=found.sent,
        reason=reason,
        evidence={
            "late_share": found.late_share,
            "processor_share": found.processor_share,
            "starved_share": found.starved_share,
        },
    )


def _rate_ruling(found: Measured) -> tuple[Ruling, str]:
    kept = found.sent >= (1 - MISSING) * found.scheduled
    if found.late_share > LATE or (not kept and _is_busy(found)):
        return "inconclusive", _own_fault(found)
    if not kept:
        missing = found.scheduled - found.sent
        reason = (
            f"{missing:,} requests could not be sent: all {found.concurrency:,} that may be under way at once waited"
            " for answers (--concurrency)"
        )
        return "fail", reason
    if found.interrupted:
        return "inconclusive", f"ended after {found.elapsed_s:.1f} of {found.seconds:g} s"
    return "pass", ""


def _answers(found: Measured, errors: float) -> Verdict:
    failed = sum(found.errors.values())
    share = failed / found.sent if found.sent else None
    ruling: Ruling = "pass"
    reason = ""
    if share is None:
        ruling, reason = "inconclusive", "no request was sent"
    elif share > errors:
        kind, times = next(iter(found.errors.items()))
        ruling, reason = "fail", f"{times:,} times {kind}: {found.examples[kind]}"
    return Verdict(
        subject="requests without an answer",
        verdict=ruling,
        observed=share,
        limit=errors,
        n=found.sent,
        reason=reason,
    )


def _latency(found: Measured, p99_s: float) -> Verdict:
    ruling: Ruling = "pass" if found.latency.p99 <= p99_s else "fail"
    reason = ""
    if found.latency.count < _TAIL:
        ruling, reason = "inconclusive", f"a 99th percentile needs {_TAIL} answers"
    elif ruling == "fail" and (found.late_share > LATE_TAIL or _is_busy(found)):
        # What the generator is late comes on top of a latency, so a limit that holds with it would hold without.
        ruling, reason = "inconclusive", _own_fault(found)
    return Verdict(
        subject="latency p99, s",
        verdict=ruling,
        observed=found.latency.p99,
        limit=p99_s,
        n=found.latency.count,
        reason=reason,
    )


def _is_busy(found: Measured) -> bool:
    """Whether answers waited for the generator."""
    return found.processor_share + found.starved_share >= BUSY or found.starved_share >= STARVED


def _own_fault(found: Measured) -> str:
    """Say what the generator did not manage."""
    return (
        f"the generator itself did not keep up: {found.late_share:.1%} of the requests sent late,"
        f" {found.processor_share:.0%} of a processor taken, {found.starved_share:.0%} of the time waited for one"
    )
