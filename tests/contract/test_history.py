import pytest

from setpoint.contract.history import History
from setpoint.contract.scalar import ScalarError
from setpoint.contract.spans import Span


@pytest.mark.parametrize(
    ("raw", "history"),
    [
        ("all", History("all")),
        ("since_change", History("since_change")),
        ("last 50000 rows", History("last", Span(50000.0, "rows"))),
        ("last 90d", History("last", Span(90 * 86400.0, "seconds"))),
    ],
)
def test_history_reads_and_says_back(raw, history):
    assert History.read(raw) == history
    assert History.read(str(history)) == history


@pytest.mark.parametrize(
    "raw", ["", "last", "last 0 rows", "last 50000", "since change", "ALL", 5, None, []]
)
def test_history_refuses_what_is_no_history(raw):
    with pytest.raises(ScalarError):
        History.read(raw)
