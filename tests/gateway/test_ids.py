"""Tests of prediction ids."""

import os
import uuid

from setpoint.clock import ManualClock
from setpoint.gateway.ids import PredictionIds


def test_id_is_a_version_7_uuid_of_its_millisecond():
    made = uuid.UUID(PredictionIds(ManualClock(1_600_000_000.123), os.urandom).next())
    assert made.version == 7
    assert made.variant == uuid.RFC_4122
    assert made.int >> 80 == 1_600_000_000_123


def test_ids_ascend_also_within_a_millisecond_and_beyond_its_counter():
    ids = PredictionIds(ManualClock(1.0), os.urandom)
    made = [ids.next() for _ in range(10_000)]
    assert made == sorted(set(made))


def test_ids_ascend_when_the_clock_jumps_back():
    class Jumping(ManualClock):
        def wall(self):
            self._now -= 1.0
            return self._now

    ids = PredictionIds(Jumping(1e9), os.urandom)
    made = [ids.next() for _ in range(100)]
    assert made == sorted(set(made))


def test_two_makers_in_the_same_millisecond_do_not_collide():
    clock = ManualClock(1.0)
    one, other = PredictionIds(clock, os.urandom), PredictionIds(clock, os.urandom)
    assert not {one.next() for _ in range(1000)} & {other.next() for _ in range(1000)}
