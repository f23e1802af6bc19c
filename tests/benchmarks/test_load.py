"""What is read off wrk's output."""

import pytest
from benchmarks.serving.load import parse_wrk

LINE = (
    '{"requests": 3000, "seconds": 1.5, "p50_ms": 0.07, "p99_ms": 4.2, "refused": 2, "broken": 3}'
)
OUTPUT = f"""\
Running 1s test @ http://127.0.0.1:9101/
  1 threads and 64 connections
Requests/sec:   2000.00
{LINE}
"""


def test_rate_is_answers_over_the_time_that_they_took():
    assert parse_wrk(OUTPUT).rate == 2000.0


def test_percentiles_are_in_milliseconds():
    found = parse_wrk(OUTPUT)
    assert (found.p50_ms, found.p99_ms) == (0.07, 4.2)


def test_refusals_and_broken_connections_are_both_errors():
    assert parse_wrk(OUTPUT).errors == 5


def test_a_run_that_did_not_reach_its_end_is_no_figure():
    with pytest.raises(ValueError, match="unable to connect"):
        parse_wrk("unable to connect to 127.0.0.1:9101 Connection refused\n")
