"""Requests without an answer: their share, against the availability that the contract promises."""

from setpoint.contract.contract import Contract
from setpoint.facts.signal import Signal
from setpoint.monitor.answered import Answered
from setpoint.monitor.share import Part, share_signal

NAME = "errors.rate"
MIN_REQUESTS = 100
"""Fewer requests are inconclusive."""


def error_signal(contract: Contract, answered: Answered) -> Signal:
    """Return `errors.rate`; without `monitor.slo.availability` every rate is within its limit.

    Args:
        contract: Has the limit under `monitor.slo`.
        answered: The window, with `failed`.
    """
    promised = contract.monitor.slo.availability
    failed = answered.failed or 0
    requests = answered.rows + failed
    part = Part(failed, requests, float(requests), 0.95)
    limit = 1.0 if promised is None else 1.0 - float(promised)
    return share_signal(
        NAME,
        answered.window,
        part,
        limit=limit,
        min_rows=MIN_REQUESTS,
        words="requests got no answer",
    )
