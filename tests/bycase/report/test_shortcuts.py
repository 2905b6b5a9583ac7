import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from bycase.report.shortcuts import describe_images, light_by_source, measure_shortcuts

RNG = np.random.default_rng(0)
LABELS = np.repeat(["Benign", "Malignant"], 60)
GROUPS = [f"{label[0]}{n // 3}" for n, label in enumerate(LABELS)]


def frame(**columns: object) -> pd.DataFrame:
    values = {"brightness": RNG.normal(128, 9, 120), "contrast": RNG.normal(40, 3, 120), "size": 100, "format": "png"}
    return pd.DataFrame({"label": LABELS, "group": GROUPS} | values | columns)


def test_properties_come_from_pixels_and_files() -> None:
    pixels = RNG.integers(0, 256, (2, 5, 5, 3)).astype(float)
    sums = np.stack([pixels.mean(axis=(1, 2)), (pixels**2).mean(axis=(1, 2))], axis=1)
    manifest = pd.DataFrame(
        {"label": ["a", "b"], "group": ["1", "2"], "width": [4, 5], "height": [6, 7], "magnification": [40, 100]}
    ).assign(source=["x/1.JPEG", "x/2.jpg"])
    images = describe_images(manifest, sums)
    assert images["brightness"].to_numpy() == pytest.approx(pixels.mean(axis=(1, 2, 3)))
    assert images["contrast"].to_numpy() == pytest.approx(np.sqrt(pixels.var(axis=(1, 2)).mean(axis=1)))
    assert images["size"].tolist() == [24, 35]
    assert images["format"].tolist() == ["jpg", "jpg"]
    assert images["magnification"].tolist() == [40, 100]


def test_the_auc_is_that_of_cases_in_the_better_direction() -> None:
    images = frame()
    images["brightness"] -= 6.0 * (LABELS == "Malignant")
    table = measure_shortcuts(images, "Malignant").set_index("property")
    cases = images.groupby(["group", "label"])["brightness"].mean().reset_index()
    expected = 1 - roc_auc_score(cases["label"] == "Malignant", cases["brightness"])
    row = table.loc["brightness"]
    assert row["auc"] == pytest.approx(expected)
    assert 0.5 < row["ci"]["low"] < expected < row["ci"]["high"] < 1
    assert row["shortcut"]
    assert list(table.index) == ["brightness"]


def test_a_format_that_one_class_has_is_a_shortcut() -> None:
    formats = np.where(LABELS == "Malignant", "tif", "png")
    formats[:6] = "tif"  # two cases of 40
    table = measure_shortcuts(frame(format=formats), "Malignant").set_index("property")
    assert table.loc["format", "auc"] == pytest.approx(0.95)  # 18 of 20 benign cases below all, 2 tied
    assert table.loc["format", "shortcut"]


def test_what_does_not_tell_is_none() -> None:
    flagged = []
    for seed in range(40):
        rng = np.random.default_rng(seed)
        images = frame(brightness=rng.normal(0, 1, 120), size=rng.integers(1, 9, 120))
        flagged += measure_shortcuts(images, "Malignant")["shortcut"].tolist()
    assert len(flagged) == 80
    assert sum(flagged) <= 4


def test_of_several_classes_the_one_that_is_told_best_is_named() -> None:
    labels = np.repeat(["a", "b", "c"], 40)
    images = frame(
        label=labels, group=[str(n) for n in range(120)], size=np.where(labels == "b", 9, RNG.integers(1, 8))
    )
    row = measure_shortcuts(images, None).set_index("property").loc["size"]
    assert (row["class"], row["auc"], row["shortcut"]) == ("b", 1.0, True)


def test_light_is_told_by_class_and_source() -> None:
    images = frame(magnification=np.tile([40, 100], 60), brightness=np.arange(120.0))
    table = light_by_source(images)
    assert list(zip(table["by"], table["value"], table["images"], strict=True)) == [
        ("class", "Benign", 60),
        ("class", "Malignant", 60),
        ("magnification", "40", 60),
        ("magnification", "100", 60),
    ]
    assert table.loc[0, "brightness"] == pytest.approx(np.quantile(np.arange(60.0), [0.05, 0.5, 0.95]))
