"""What a load came to."""

import msgspec


class Latency(msgspec.Struct, frozen=True, kw_only=True):
    """Latencies in seconds, each from the moment that the schedule gives the request.

    Requests that were never answered in time, or had to wait until the end to be sent, count with the time that they
    had waited by then: less than they would have needed.

    Args:
        count: Requests behind it.
        p50: Median.
        p90: 90th percentile.
        p99: 99th percentile.
        p999: 99.9th percentile.
        longest: The longest.
    """

    count: int
    p50: float
    p90: float
    p99: float
    p999: float
    longest: float


class Measured(msgspec.Struct, frozen=True, kw_only=True):
    """What a load came to.

    Args:
        rate: Requests a second that were asked for.
        seconds: Seconds that were asked for.
        elapsed_s: Seconds that requests were sent.
        scheduled: Requests whose time came.
        sent: Requests that were sent.
        answered: Requests that were answered with a prediction.
        answered_per_s: Answers a second, from the first request's time to the last answer.
        latency: How long they took.
        statuses: Requests by HTTP status; `none` where no answer came.
        errors: Requests without a prediction, by kind and status.
        examples: The first message of each kind.
        versions: Answers by the version that gave them.
        late_share: Share of the requests that the generator itself sent late, 0 to 1.
        processor_share: Share of one processor that the generator took, 0 to 1 and a little above.
        starved_share: Share of the time in which the generator had work and no processor, 0 to 1.
        concurrency: Requests under way at once, at most.
        interrupted: Whether it was ended before its time.
    """

    rate: float
    seconds: float
    elapsed_s: float
    scheduled: int
    sent: int
    answered: int
    answered_per_s: float
    latency: Latency
    statuses: dict[str, int]
    errors: dict[str, int]
    examples: dict[str, str]
    versions: dict[str, int]
    late_share: float
    processor_share: float
    starved_share: float
    concurrency: int
    interrupted: bool
