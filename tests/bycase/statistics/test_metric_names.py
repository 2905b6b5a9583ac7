from bycase.statistics.metric_names import lower_is_better, metric_words, metrics_for, short_metric_words


def test_words_of_known_and_other_keys() -> None:
    assert [metric_words(key) for key in ("auc", "ece", "colour")] == [
        "AUC",
        "expected calibration error (ECE)",
        "colour",
    ]
    assert [short_metric_words(key) for key in ("ece", "macro_f1", "colour")] == ["ECE", "macro F1", "colour"]


def test_direction() -> None:
    assert [lower_is_better(key) for key in ("brier", "log_loss", "auc", "colour")] == [True, True, False, False]


def test_metrics_for_a_number_of_classes() -> None:
    assert metrics_for(2, "auc", "sensitivity", "macro_f1") == ["auc", "sensitivity"]
    assert metrics_for(3, "auc", "sensitivity", "macro_f1") == ["auc", "macro_f1"]
