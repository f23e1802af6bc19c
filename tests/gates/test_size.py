import pytest

from setpoint.gates.judge import judge


@pytest.mark.parametrize(
    ("size", "ruling"), [(500_000_000, "pass"), (500_000_001, "fail"), (None, "error")]
)
def test_size_of_the_files_is_judged(gate, binary, size, ruling) -> None:
    found = judge([gate(size="500MB")], binary(size_bytes=size), k=1, seed=0)[0]
    assert found.verdict == ruling
