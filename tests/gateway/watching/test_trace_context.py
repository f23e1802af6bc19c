"""Tests of the W3C trace context: broken headers are no headers, and the standard samplers decide as they should."""

import random

import pytest

from setpoint.gateway.watching.trace_context import Sampler, TraceContext, read_traceparent

TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"


def sampler(share, *, parent_based=True):
    return Sampler(share, parent_based=parent_based, entropy=random.Random(7).randbytes)


@pytest.mark.parametrize(
    ("header", "sampled"),
    [
        (f"00-{TRACE}-{SPAN}-01", True),
        (f"00-{TRACE}-{SPAN}-00", False),
        (f"00-{TRACE}-{SPAN}-03", True),
        (f"cc-{TRACE}-{SPAN}-01", True),
        (f"cc-{TRACE}-{SPAN}-01-what-the-future-brings", True),
        (f" 00-{TRACE}-{SPAN}-01 ", True),
    ],
)
def test_headers_of_the_specification_are_read(header, sampled):
    assert read_traceparent(header.encode()) == TraceContext(TRACE, SPAN, sampled)


@pytest.mark.parametrize(
    "header",
    [
        "",
        "00",
        f"ff-{TRACE}-{SPAN}-01",
        f"00-{'0' * 32}-{SPAN}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"00-{TRACE.upper()}-{SPAN}-01",
        f"00-{TRACE}-{SPAN}-01-more",
        f"00-{TRACE}-{SPAN}-1",
        f"cc-{TRACE}-{SPAN}-01.more",
        f"00-{TRACE[:-1]}-{SPAN}-01",
        f"00-{TRACE}-{SPAN}-01, 00-{TRACE}-{SPAN}-01",
        "\xff" * 55,
    ],
)
def test_broken_headers_are_no_headers(header):
    assert read_traceparent(header.encode("latin-1")) is None


@pytest.mark.parametrize("sampled", [True, False])
@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_a_callers_decision_holds_where_the_sampler_goes_by_parents(sampled, share):
    given = TraceContext(TRACE, SPAN, sampled)
    assert sampler(share).context(given) == given


@pytest.mark.parametrize("sampled", [True, False])
def test_without_parents_the_share_decides_of_a_callers_trace_too(sampled):
    given = TraceContext(TRACE, SPAN, sampled)
    assert sampler(1.0, parent_based=False).context(given) == TraceContext(TRACE, SPAN, True)
    assert sampler(0.0, parent_based=False).context(given) == TraceContext(TRACE, SPAN, False)


def test_traces_that_begin_here_are_sampled_by_their_share_under_ids_of_their_own():
    found = [sampled.context(None) for sampled in [sampler(0.1)] for _ in range(5_000)]
    taken = [one for one in found if one is not None]
    assert 420 < len(taken) < 580
    assert len({one.trace_id for one in taken}) == len(taken)
    assert all(one.sampled and not one.parent_id and len(one.trace_id) == 32 for one in taken)


def test_nothing_is_sampled_at_0_and_everything_at_1():
    nothing, everything = sampler(0.0), sampler(1.0)
    assert not any(nothing.context(None) for _ in range(600))
    assert all(everything.context(None) for _ in range(600))


def test_share_is_taken_by_the_low_end_of_the_id_as_other_services_do():
    low, high = TRACE[:16] + "0" * 15 + "1", TRACE[:16] + "f" * 16
    half = sampler(0.5, parent_based=False)
    assert half.context(TraceContext(low, SPAN, False)).sampled
    assert not half.context(TraceContext(high, SPAN, True)).sampled
