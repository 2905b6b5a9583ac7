from bycase.report.blocks import Table
from bycase.report.resolution import resolution_section
from bycase.report.words import power_words
from tests.fixtures.report import make_power, make_resolution


def test_assumed_and_measured_stand_in_one_table() -> None:
    table = next(b for b in resolution_section(make_resolution(), make_power()).blocks if isinstance(b, Table))
    assert [row[0] for row in table.rows] == [
        *(f"assumed, {name} (12 patients)" for name in ("optimistic", "middle", "pessimistic")),
        *(f"measured, {name}" for name in ("smallest standard error", "median", "largest standard error")),
    ]
    assert table.rows[0][1:] == ("13.2", "0.10", "0.10", "none", "0.10", "0.10")
    assert table.rows[3][1:] == ("14.9", "0.41", "0.37", *["–"] * 3)  # noqa: RUF001


def test_of_other_programs_predictions_nothing_was_assumed() -> None:
    (table,) = resolution_section(make_resolution()).blocks
    assert isinstance(table, Table)
    assert len(table.rows) == 3


def test_every_scenario_is_told() -> None:
    words = power_words(make_power())
    assert "test set (12 patients): accuracy 13.2 / 14.2 / 15.2, AUC none / none / none" in words
    assert "optimistic / middle / pessimistic assumptions" in words
