"""The reference of the contract says what the contract's types say."""

import importlib.util
from pathlib import Path

DOCS = Path(__file__).resolve().parents[2] / "docs"


def reference_module():
    spec = importlib.util.spec_from_file_location(
        "contract_reference", DOCS / "contract_reference.py"
    )
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_reference_is_what_the_types_say_today():
    told = "run: python docs/contract_reference.py"
    assert (DOCS / "contract.md").read_text(encoding="utf-8") == reference_module().reference(), (
        told
    )


def test_a_field_that_is_missing_from_the_page_would_be_noticed():
    page = reference_module().reference()
    for path in (
        "`newest`",
        "`min_coverage`",
        "### `directional`",
        "`on_inconclusive`",
        "`max_violations`",
    ):
        assert path in page
