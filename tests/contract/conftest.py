from pathlib import Path

import pytest

HERE = Path(__file__).parent

MINIMAL = "model: {name: churn, task: binary}\ndata: {source: a.csv, target: y, time: at}\n"
ROWS = "model: {name: churn, task: binary}\ndata: {source: a.csv, target: y}\n"


@pytest.fixture
def whole() -> str:
    """The whole contract of the design, with every section."""
    return (HERE / "whole.yaml").read_text()


@pytest.fixture
def short() -> str:
    """The short form of the design."""
    return (HERE / "short.yaml").read_text()


@pytest.fixture
def minimal() -> str:
    """The smallest contract with a time column."""
    return MINIMAL


@pytest.fixture
def rows() -> str:
    """The smallest contract without a time column."""
    return ROWS
