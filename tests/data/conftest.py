import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # small_contracts

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data"


@pytest.fixture(scope="session")
def real() -> Path:
    if not SHARED.is_dir():
        pytest.skip(f"the real tables are not here: {SHARED}")
    return SHARED
