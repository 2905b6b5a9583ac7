from bycase.core.wording import (
    DASH,
    clusters_of,
    count,
    decimals,
    interval,
    markdown_table,
    metric_with_interval,
    p_equals,
    p_value,
    percent,
    plain_share,
    plural,
    sample_words,
    seconds,
    signed,
    tenths,
    value_with_interval,
)

LIMITS = {"low": 0.784, "high": 0.936}


def test_a_value_with_its_interval() -> None:
    assert value_with_interval(0.87123, LIMITS) == "0.871 (0.784 to 0.936)"
    assert value_with_interval(0.87123, LIMITS, decimals, "95 % CI") == ".871 (95 % CI .784 to .936)"
    assert value_with_interval(-0.04, {"low": -0.1, "high": 0.02}, signed) == "-0.040 (-0.100 to +0.020)"
    assert interval({"low": 1.24, "high": 12}, tenths) == "1.2 to 12.0"


def test_a_metric_without_interval_and_a_missing_one() -> None:
    level = {"auc": 0.87123, "ci": {"auc": LIMITS}, "f1": 0.5, "mcc": None}
    assert metric_with_interval(level, "auc") == "0.871 (0.784 to 0.936)"
    assert metric_with_interval(level, "f1") == "0.500"
    assert metric_with_interval(level, "mcc") == metric_with_interval(level, "brier") == DASH


def test_numbers() -> None:
    assert [decimals(value) for value in (0.5, -0.0001, -0.25, 1, 12.3456)] == [
        ".500",
        ".000",
        "-.250",
        "1.000",
        "12.346",
    ]
    assert [plain_share(value) for value in (0.03, 0.125)] == [".03", ".125"]
    assert [percent(0.9), count(7909.2), plural(1, "fold"), plural(1200, "patient")] == [
        "90 %",
        "7,909",
        "1 fold",
        "1,200 patients",
    ]
    assert [seconds(value) for value in (1.27, 148, 7260)] == ["1.27 s", "2 min 28 s", "2 h 1 min"]


def test_p_values() -> None:
    assert [p_value(value) for value in (None, 0.0004, 0.0214)] == [DASH, "< 0.001", "0.021"]
    assert [p_equals(value) for value in (0.00099, 0.0214, 1)] == ["p < .001", "p = .021", "p = 1.000"]


def test_a_markdown_table() -> None:
    assert markdown_table(["a", "b"], [["x", 2]]) == "| a | b |\n| --- | --- |\n| x | 2 |"
    assert "| --- | ---: |" in markdown_table(["a", "b"], [], numbers=True)


def test_patients_are_named_only_where_they_are_known() -> None:
    known, unknown = {"n_patients": 1407}, {"n_patients": 1407, "note": "patients unknown: x"}
    assert sample_words(2501, known) == "2,501 images of 1,407 patients"
    assert sample_words(1, {"n_patients": 1}, "test image") == "1 test image of 1 patient"
    assert sample_words(2501, unknown) == "2,501 images, patients unknown"
    assert [clusters_of(numbers) for numbers in (known, unknown)] == ["patients", "images"]
