import pytest

from setpoint.contract.origin import Origin, Place, path_text


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ((), ""),
        (("gates", 0, "min"), "gates[0].min"),
        (("data", "columns", "Monthly Charges", "min"), 'data.columns["Monthly Charges"].min'),
        (("data", "columns", "a.b"), 'data.columns["a.b"]'),
        (("data", "columns", "1"), 'data.columns["1"]'),
        (("data", "columns", "größe"), "data.columns.größe"),
        (("", "a"), '[""].a'),
    ],
)
def test_paths_as_people_read_them(path, text):
    assert path_text(path) == text


def test_what_was_not_written_is_found_at_what_is_around_it():
    origin = Origin("c.yaml", {"gates": Place("c.yaml", 3, 1), "gates[0]": Place("c.yaml", 4, 5)})
    assert origin.place_of(("gates", 0, "min")).line == 4
    assert origin.place_of(("gates", 1, "min")).line == 3
    assert origin.place_of(("serve",)) == Place("c.yaml")
    assert str(origin.place_of(("gates",))) == "c.yaml:3"
