from bycase.report.decisions import decision_tables, interaction_tables

LIMITS = {"low": 0.1, "high": 0.3}
BENEFIT = {"threshold_10": {"net_benefit": 0.2, "treat_all": 0.15, "gain": 0.05, "ci": {"net_benefit": LIMITS}}}
PREDICTIVE = {"image": {"ppv": 0.31, "npv": 0.97, "ci": {"ppv": LIMITS}}}


def test_net_benefit_stands_alone_where_no_prevalence_is_stated() -> None:
    (table,) = decision_tables({"net_benefit": BENEFIT})
    assert table.rows == [("10 %", "0.200 (0.100 to 0.300)", "0.150", "0.050")]
    assert "prevalence of the test part" in table.caption
    assert decision_tables({}) == []


def test_a_stated_prevalence_is_said_with_its_predictive_values() -> None:
    predictive, benefit = decision_tables(
        {"prevalence": 0.05, "predictive_values": PREDICTIVE, "net_benefit": BENEFIT}, "images"
    )
    assert predictive.rows == [("by image", "0.310 (0.100 to 0.300)", "0.970")]
    assert "prevalence of 5 %" in predictive.caption
    assert "prevalence of 5 %" in benefit.caption
    assert "intervals over images" in benefit.caption


def test_interactions_have_both_p_values_and_dashes_where_untested() -> None:
    tests = {"site": {"accuracy": {"p": 0.012, "p_holm": 0.024}}, "sex": {"auc": {"p": 0.4, "p_holm": 0.4}}}
    both = interaction_tables({"image": tests, "patient": {}})
    (table,) = both
    assert table.header == ("property", "AUC", "accuracy")
    assert table.rows[0][0] == "site"
    assert table.rows[0][2] == "0.024 (0.012)"
    assert table.rows[1][1] == "0.400 (0.400)"
    assert interaction_tables({"image": tests}, ("patient",)) == []
