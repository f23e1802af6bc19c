import pytest
from hypothesis import given
from hypothesis import strategies as st
from ruamel.yaml import YAML

from setpoint.data.contract_text import contract_text, scalar_text


def load(text: str, version: str):
    yaml = YAML(typ="safe", pure=True)
    yaml.version = version
    return yaml.load(f"%YAML {version}\n---\n{text}")


@pytest.mark.parametrize(
    "value",
    [
        "yes",
        "No",
        "on",
        "y",
        "null",
        "~",
        "2.10",
        "1e3",
        "0x1F",
        "012",
        "1:30",
        "2024-01-31",
        "a: b",
        "# x",
        "- x",
        "",
        " a",
        "a ",
        "it's",
        'say "x"',
        "25 - 45",
        "*x",
        "&x",
        "@x",
        "%x",
        "NaN",
        ".inf",
        "5%",
        "30d",
        "1000 rows",
        "a\nb",
        "1_000",
        "=",
        "<<",
    ],
)
@pytest.mark.parametrize("version", ["1.1", "1.2"])
def test_a_text_is_the_same_text_to_every_reader(value, version):
    assert load(f"k: {scalar_text(value)}", version) == {"k": value}


@given(
    st.one_of(
        st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=20),
        st.integers(-(10**15), 10**15),
        st.floats(allow_nan=False, allow_infinity=False),
        st.booleans(),
    )
)
def test_any_plain_value_reads_back(value):
    assert load(f"k: {scalar_text(value)}", "1.2") == {"k": value}


def test_short_mappings_stand_on_one_line_with_their_remark():
    text = contract_text(
        {
            "data": {"source": "x", "columns": {"age": {"type": "int", "min": 0}}},
            "gates": [{"metric": "mae", "beats": "mean"}],
        },
        {"data.columns.age": "seen\nonce"},
    )
    assert text.splitlines() == [
        "# yaml-language-server: $schema=./model_contract.schema.json",
        "data:",
        "  source: x",
        "  columns:",
        "    age: {type: int, min: 0}  # seen once",
        "gates:",
        "  - {metric: mae, beats: mean}",
    ]
