import time

from setpoint.adapters import processor_time
from setpoint.adapters.processor_time import used_and_waited


def spend(seconds):
    started = time.process_time()
    while time.process_time() - started < seconds:
        pass


def test_work_is_counted_and_sleep_is_not():
    before, _ = used_and_waited()
    spend(0.05)
    worked, _ = used_and_waited()
    time.sleep(0.05)
    slept, _ = used_and_waited()
    assert worked - before >= 0.05
    assert slept - worked < 0.04


def test_what_was_not_used_while_there_was_work_was_waited_for():
    (used, waited), started = used_and_waited(), time.perf_counter()
    spend(0.2)
    elapsed = time.perf_counter() - started
    after = used_and_waited()
    # A hypervisor may take time away that nobody counts; more than the whole cannot be.
    assert 0.2 <= after[0] - used + after[1] - waited <= elapsed + 0.05


def test_a_system_that_does_not_count_waiting(monkeypatch, tmp_path):
    monkeypatch.setattr(processor_time, "_SCHEDULED", tmp_path / "nothing")
    used, waited = used_and_waited()
    assert used > 0
    assert waited == 0
