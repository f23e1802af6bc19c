import pyarrow as pa
import pytest

from setpoint.client import Tensor
from setpoint.errors import DataError
from setpoint.load.table_rows import table_rows


def tensor(name, kind, *, nullable=False):
    said = {"kind": kind, "nullable": nullable}
    return Tensor(name=name, datatype="BYTES", shape=[-1], parameters=said)


INPUTS = [
    tensor("tenure", "int"),
    tensor("charges", "float", nullable=True),
    tensor("paperless", "bool"),
    tensor("plan", "category", nullable=True),
]
TEXT = pa.table(
    {
        "plan": ["monthly", ""],
        "paperless": ["true", "no"],
        "churned": ["Yes", "No"],
        "tenure": ["3", "12"],
        "charges": ["70.5", ""],
        "customer": ["7", "8"],
    }
)
ROWS = [
    {"tenure": 3, "charges": 70.5, "paperless": True, "plan": "monthly", "customer": "7"},
    {"tenure": 12, "charges": None, "paperless": False, "plan": None, "customer": "8"},
]


def test_text_becomes_what_the_inputs_are_and_nothing_else_is_sent():
    assert table_rows(TEXT, INPUTS, key="customer") == ROWS


def test_typed_columns_are_sent_as_they_are():
    typed = pa.table(
        {
            "tenure": pa.array([3, 12], pa.int32()),
            "charges": [70.5, None],
            "paperless": [True, False],
            "plan": pa.array(["monthly", None]).dictionary_encode(),
            "customer": [7, 8],
        }
    )
    assert table_rows(typed, INPUTS, key="customer") == ROWS


def test_what_may_be_null_may_be_missing():
    found = table_rows(TEXT.drop_columns(["plan", "charges", "customer"]), INPUTS, key="customer")
    assert found[0] == {"tenure": 3, "charges": None, "paperless": True, "plan": None}


def test_what_may_not_be_null_may_not_be_missing():
    with pytest.raises(DataError, match="lacks tenure; it has"):
        table_rows(TEXT.drop_columns(["tenure"]), INPUTS, key="")


def test_a_cell_that_does_not_fit_is_named():
    wrong = TEXT.set_column(3, "tenure", pa.array(["3", "many"]))
    with pytest.raises(
        DataError, match="column 'tenure': 1 cells are no int, such as 'many' in row 2"
    ):
        table_rows(wrong, INPUTS, key="")
