import pytest

from setpoint.facts.signal import Signal, Window
from setpoint.facts.verdict import Verdict


@pytest.fixture
def signal():
    """Make a signal named `name` over the window that ends at `end`, as the monitor would."""

    def make(
        name,
        value,
        *,
        end=100.0,
        version=1,
        interval=None,
        ruling="pass",
        reference=None,
        reason="",
    ):
        evidence = {} if reference is None else {"reference": reference}
        verdict = Verdict(
            subject=name,
            verdict=ruling,
            observed=value,
            interval=interval,
            reason=reason,
            evidence=evidence,
        )
        window = Window(start=end - 100.0, end=end, version=version, rows=100)
        return Signal(name=name, window=window, value=value, verdict=verdict)

    return make
