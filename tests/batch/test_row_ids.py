"""Ids follow from the row: however a table is cut, however often it is begun again."""

import uuid

from setpoint.batch.row_ids import RowIds

AT = 1_700_000_000.25
SEED = bytes(range(16))


def test_ids_do_not_show_how_the_table_was_cut():
    whole = RowIds(AT, SEED).of(0, 10_000)
    pieces = [one for first in range(0, 10_000, 777) for one in RowIds(AT, SEED).of(first, 777)]
    assert pieces[:10_000] == whole


def test_ids_are_uuids_of_their_time_that_ascend_and_never_come_twice():
    ids = RowIds(AT, SEED).of(4_000, 9_000)
    assert ids == sorted(set(ids))
    for one in ids[::500]:
        found = uuid.UUID(one)
        assert (found.version, found.variant, str(found)) == (7, uuid.RFC_4122, one)
        assert 0 <= (found.int >> 80) - AT * 1000 < 4


def test_another_scoring_has_other_ids():
    assert not set(RowIds(AT, SEED).of(0, 5_000)) & set(RowIds(AT, bytes(16)).of(0, 5_000))


def test_no_rows_have_no_ids():
    assert RowIds(AT, SEED).of(4_096, 0) == []
