from typing import Any

import pytest

from bycase.report.aggregation import aggregation_blocks, aggregation_words, networks_blocks
from bycase.report.blocks import Table


def compared(difference: float, p_holm: float) -> dict[str, Any]:
    ci = {"low": difference - 0.03, "high": difference + 0.03}
    return {"auc": 0.8 + difference, "difference": difference, "ci": ci, "p": p_holm / 3, "p_holm": p_holm}


def metrics(**rules: dict[str, Any]) -> dict[str, Any]:
    return {"aggregation": {"rule": "top_k 0.25", "compared": rules}}


@pytest.mark.parametrize(
    ("rules", "says", "not_said"),
    [
        (
            {"median": compared(0.02, 0.3), "attention": compared(0.01, 0.9)},
            "None is shown to differ",
            "better",
        ),
        (
            {"median": compared(0.05, 0.01), "attention": compared(0.06, 0.2)},
            "Shown to rank patients better than the mean: median.",
            "attention",
        ),
        ({"median": compared(-0.05, 0.01)}, "Shown to rank them worse: median.", "better"),
    ],
)
def test_a_gain_is_claimed_only_where_it_is_shown(rules: dict[str, Any], says: str, not_said: str) -> None:
    words = aggregation_words(metrics(**rules))
    assert words.startswith("A patient is scored by the mean of the highest 25 % of the probabilities of a patient's")
    assert says in words
    assert not_said not in words


def test_the_table_has_a_row_a_rule_and_is_absent_where_patients_are_unknown() -> None:
    numbers = metrics(median=compared(-0.05, 0.01), top_k=compared(0.02, 0.5))
    table = aggregation_blocks(numbers, patients_known=True)[1]
    assert isinstance(table, Table)
    assert [tuple(row) for row in table.rows] == [
        ("median", "0.750", "-0.050 (-0.080 to -0.020)", "0.010"),
        ("mean of the highest", "0.820", "+0.020 (-0.010 to +0.050)", "0.500"),
    ]
    assert "adjusted by Holm" in table.caption
    assert aggregation_blocks(numbers, patients_known=False) == []
    assert aggregation_blocks({"aggregation": {"rule": "mean"}}, patients_known=True) == []


def test_a_benchmark_lists_every_networks_rules() -> None:
    board = {"a": {"image": {}, "patient": {"aggregation": {"median": compared(0.01, 1.0)}}}}
    (table,) = networks_blocks(board, {"a": "network A"})
    assert isinstance(table, Table)
    assert table.rows[0][:2] == ("network A", "median")
    assert networks_blocks({"a": {"image": {}}}, {"a": "network A"}) == []
