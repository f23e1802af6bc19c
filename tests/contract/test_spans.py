import pytest
from hypothesis import given
from hypothesis import strategies as st

from setpoint.contract.scalar import ScalarError
from setpoint.contract.spans import Duration, Part, Span


@pytest.mark.parametrize(
    ("raw", "seconds"),
    [
        ("100ms", 0.1),
        ("90s", 90),
        ("30m", 1800),
        ("30min", 1800),
        ("24h", 86400),
        ("7d", 604800),
        ("1w", 604800),
        ("1.5h", 5400),
        ("250us", 0.00025),
        (" 10 ms ", 0.01),
    ],
)
def test_duration_reads_units(raw, seconds):
    assert Duration.read(raw) == seconds
    assert Duration.read(str(Duration.read(raw))) == seconds


@pytest.mark.parametrize(
    "raw", [10, "10", "0ms", "-5ms", "5 minutes", "1h30m", "ms", "", None, True, "1000 rows", "٣s"]
)
def test_duration_refuses_what_has_no_unit_or_no_length(raw):
    with pytest.raises(ScalarError):
        Duration.read(raw)


def test_a_bare_number_is_told_that_its_unit_is_missing():
    with pytest.raises(ScalarError, match="has no unit"):
        Duration.read(10)
    with pytest.raises(ScalarError, match="has no unit"):
        Span.read(24)


def test_spans_on_both_axes():
    assert Span.read("24h") == Span(86400.0, "seconds")
    assert Span.read("1000 rows") == Span(1000.0, "rows")
    assert Span.read("1 row") == Span(1.0, "rows")
    assert str(Span.read("24h")) == "1d"
    assert str(Span.read("1000 rows")) == "1000 rows"
    assert Span.read("60s") == Span.read("1m")
    assert Span.read("60s") != Span.read("60 rows")


@pytest.mark.parametrize(
    "raw", ["1000", "1000rows", "1.5 rows", "-1 rows", "rows", None, [], "day"]
)
def test_span_refuses_what_is_no_span(raw):
    with pytest.raises(ScalarError):
        Span.read(raw)


@given(st.integers(0, 10**12), st.sampled_from(["us", "ms", "s", "m", "h", "d", "w", " rows"]))
def test_span_text_reads_back_exactly(count, unit):
    span = Span.read(f"{count}{unit}")
    assert Span.read(str(span)) == span


def test_parts_of_rows():
    assert Part.read("20%") == Part.read(0.2) == Part(share=0.2)
    assert Part.read("1000 rows") == Part(rows=1000)
    assert str(Part.read(0.2)) == "20%"
    assert str(Part(rows=1000)) == "1000 rows"


@pytest.mark.parametrize("raw", [0, 1, "0%", "100%", "0 rows", 1000, "20", None])
def test_part_refuses_nothing_and_everything(raw):
    with pytest.raises(ScalarError):
        Part.read(raw)
