import pytest
from hypothesis import given
from hypothesis import strategies as st

from setpoint.contract.scalar import ScalarError
from setpoint.contract.sizes import Cores, Size


@pytest.mark.parametrize(
    ("raw", "size"),
    [
        ("500MB", 500 * 10**6),
        ("2GB", 2 * 10**9),
        ("2Gi", 2**31),
        ("2GiB", 2**31),
        ("1.5k", 1500),
        ("10B", 10),
        ("2G", 2 * 10**9),
    ],
)
def test_size_reads_decimal_and_binary_units(raw, size):
    assert Size.read(raw) == size


@pytest.mark.parametrize("raw", [500, "500", "500m", "0MB", "-1MB", "MB", "5 bytes", None, True])
def test_size_refuses_what_has_no_unit(raw):
    with pytest.raises(ScalarError):
        Size.read(raw)


@given(st.integers(1, 10**15))
def test_size_text_reads_back_exactly(size):
    assert Size.read(str(Size(size))) == size


def test_cores_in_all_spellings():
    assert Cores.read(1) == Cores.read("1") == Cores.read("1000m") == 1.0
    assert Cores.read("500m") == Cores.read(0.5) == 0.5
    assert str(Cores(0.5)) == "500m"
    assert str(Cores(2.0)) == "2"


@pytest.mark.parametrize("raw", [0, -1, "0", "", "1 core", 0.0001, float("inf"), True, None])
def test_cores_refuse_nothing(raw):
    with pytest.raises(ScalarError):
        Cores.read(raw)
